package fastlog

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
	runs := benchruns.Read(t, "testdata/bench.txt", "BenchmarkFanOut/1000_followers")
	var table strings.Builder
	table.WriteString("| Step | CPU time for one entry to one follower | Part of the first row, median of six runs |\n|---|---|---|\n")
	for _, row := range [][2]string{
		{"loop", "a loop of `Send` over a list of streams"},
		{"log", "chapter 02: one log, a cursor for each follower"},
		{"encoded", "the same, in batches that each handler encodes"},
		{"once", "1. each entry encoded once"},
		{"copied", "2. batches, copied for each follower"},
		{"batches", "3. batches that are slices of the log"},
		{"batches100", "4. the same, 100 streams on a connection"},
	} {
		part := "1"
		if row[0] != "loop" {
			part = fmt.Sprintf("1 / %.1f", runs.Median(t, "loop/"+row[0]))
		}
		fmt.Fprintf(&table, "| %s | %.0f ns | %s |\n", row[1], runs.Median(t, "ns/"+row[0]), part)
	}
	golden.Section(t, "../README.md", "fan-out", table.String())
}
