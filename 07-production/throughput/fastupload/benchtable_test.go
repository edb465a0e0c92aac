package fastupload

import (
	"fmt"
	"strings"
	"testing"

	"example.com/streams/07-production/throughput/internal/benchruns"
	"example.com/streams/internal/golden"
)

// The table of the page has the medians of the runs that are in
// testdata/bench.txt.
func TestBenchTable_HasTheMedians(t *testing.T) {
	discarded := benchruns.Read(t, "testdata/bench.txt", "BenchmarkUpload/discarded")
	hashed := benchruns.Read(t, "testdata/bench.txt", "BenchmarkUpload/hashed")
	var table strings.Builder
	table.WriteString("| Step | CPU time for a KiB, discarded | Part of chapter 03's | CPU time for a KiB, hashed |\n|---|---|---|---|\n")
	for _, row := range [][2]string{
		{"new1K", "chunks of 1 KiB"},
		{"new32K", "chunks of 32 KiB"},
		{"new256K", "chapter 03: chunks of 256 KiB, each in a new buffer"},
		{"reused256K", "1. one buffer, used again"},
		{"reused32K-16", "2. the same, 32 KiB less 16 bytes"},
		{"reused1M-16", "2. the same, 1 MiB less 16 bytes"},
		{"receive", "3. as 1, received without a copy"},
		{"both", "4. sent without a copy too"},
		{"frames", "5. frames in buffers that are not cleared"},
		{"tcp", "the bytes alone, over TCP"},
	} {
		part := "1"
		if row[0] != "new256K" {
			part = fmt.Sprintf("%.2f", 1/discarded.Median(t, "ch03/"+row[0]))
		}
		fmt.Fprintf(&table, "| %s | %.0f ns | %s | %.0f ns |\n", row[1],
			discarded.Median(t, "ns/KiB-"+row[0]), part, hashed.Median(t, "ns/KiB-"+row[0]))
	}
	golden.Section(t, "../README.md", "upload", table.String())
}
