package sharedlog

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// medianOf returns the median of a unit of a benchmark in testdata/bench.txt.
func medianOf(t *testing.T, benchmark, unit string) float64 {
	text, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	runs := regexp.MustCompile(`(?m)^Benchmark` + benchmark + `(?:-\d+)?\s.*?([\d.]+) ` + regexp.QuoteMeta(unit) + `(?:\s|$)`)
	var values []float64
	for _, m := range runs.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		values = append(values, v)
	}
	require.NotEmpty(t, values, "%s %s", benchmark, unit)
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// The tables of the page have the medians of the recorded benchmarks.
func TestBenchTable_HasTheMedians(t *testing.T) {
	const cpu = "cpu-ns/delivery"
	memory := medianOf(t, "Deliver/memory", cpu)
	table := "| The log | CPU time for one entry to one follower | Deliveries in the same CPU time |\n|---|---|---|\n"
	for _, row := range [][2]string{
		{"chapter 02's, in memory", "memory"},
		{"one node, one replica", "one-node"},
		{"three nodes, three replicas", "three-nodes-and-replicas"},
		{"one node, a consumer for each follower", "consumer-per-follower"},
	} {
		v := medianOf(t, "Deliver/"+row[1], cpu)
		table += fmt.Sprintf("| %s | %.1f µs | %.0f %% |\n", row[0], v/1000, 100*memory/v)
	}
	golden.Section(t, "README.md", "deliver", table)

	table = "| | Median | 99th percentile |\n|---|---|---|\n"
	for _, row := range [][3]string{
		{"`Append`, one node", "Append", "one"},
		{"`Append`, one node with `SyncAlways`", "Append", "sync"},
		{"`Append`, three nodes", "Append", "three"},
		{"`Append` to `Recv`, chapter 02's log in memory", "Latency", "memory"},
		{"`Append` to `Recv`, one node", "Latency", "one"},
		{"`Append` to `Recv`, three nodes", "Latency", "three"},
	} {
		table += fmt.Sprintf("| %s | %.2f ms | %.1f ms |\n", row[0],
			medianOf(t, row[1], "µs-p50-"+row[2])/1000, medianOf(t, row[1], "µs-p99-"+row[2])/1000)
	}
	golden.Section(t, "README.md", "latency", table)
}
