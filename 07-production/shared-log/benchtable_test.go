package sharedlog

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// medianOf returns the median of a unit of a benchmark in testdata/bench.txt.
func medianOf(t *testing.T, benchmark, unit string, samples int) float64 {
	text, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	runs := regexp.MustCompile(`(?m)^Benchmark` + benchmark + `(?:-\d+)?\s.*?([\d.]+) ` + regexp.QuoteMeta(unit) + `(?:\s|$)`)
	var values []float64
	for _, m := range runs.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		values = append(values, v)
	}
	require.Len(t, values, samples, "%s %s", benchmark, unit)
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// The tables of the page have the medians of the recorded benchmarks.
func TestBenchTable_HasTheMedians(t *testing.T) {
	const cpu = "cpu-ns/delivery"
	memory := medianOf(t, "Deliver/memory", cpu, 6)
	table := "| The log | CPU time for one entry to one follower | Deliveries in the same CPU time |\n|---|---|---|\n"
	for _, row := range [][2]string{
		{"chapter 02's, in memory", "memory"},
		{"one node, one replica", "one-node"},
		{"three nodes, three replicas", "three-nodes-and-replicas"},
		{"one node, a consumer for each follower", "consumer-per-follower"},
	} {
		v := medianOf(t, "Deliver/"+row[1], cpu, 6)
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
			medianOf(t, row[1], "µs-p50-"+row[2], 3)/1000, medianOf(t, row[1], "µs-p99-"+row[2], 3)/1000)
	}
	golden.Section(t, "README.md", "latency", table)
}

func TestHours_AreThoseOfThePage(t *testing.T) {
	text, err := os.ReadFile("testdata/hours.txt")
	require.NoError(t, err)
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	hours, entries, faults := 0, 0, 0
	for _, m := range regexp.MustCompile(`(?m)^seed \d+: (\d+) entries, (\d+) faults`).FindAllStringSubmatch(string(text), -1) {
		e, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		f, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		hours, entries, faults = hours+1, entries+e, faults+f
	}
	require.InDelta(t, 275, faults/hours, 5)
	require.Contains(t, strings.ReplaceAll(string(page), ",", ""), fmt.Sprintf(
		"%d such [hours](testdata/hours.txt) had %d faults and %d entries", hours, faults, entries))
}
