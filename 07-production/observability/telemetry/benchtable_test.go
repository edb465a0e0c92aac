package telemetry

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

// The table of the page has the medians of testdata/bench.txt.
func TestBench_TableIsFromTheRuns(t *testing.T) {
	runs, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^BenchmarkMessage/(\S+)-\d+\s+\d+\s+(\d+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op$`)
	bytes, allocs := map[string][]int{}, map[string][]int{}
	var names []string
	var slow []int // ns, with grpc-go's package
	fast := map[string][]int{}
	for _, m := range line.FindAllStringSubmatch(string(runs), -1) {
		if bytes[m[1]] == nil {
			names = append(names, m[1])
		}
		ns, _ := strconv.Atoi(m[2]) // digits
		b, _ := strconv.Atoi(m[3])
		a, _ := strconv.Atoi(m[4])
		if strings.HasPrefix(m[1], "grpc") {
			slow = append(slow, ns)
		} else {
			fast[m[1]] = append(fast[m[1]], ns)
		}
		bytes[m[1]], allocs[m[1]] = append(bytes[m[1]], b), append(allocs[m[1]], a)
	}
	titles := map[string]string{
		"nothing":            "no handler",
		"Counters":           "`Counters`",
		"Periods":            "`Periods`",
		"otelgrpc":           "otelgrpc",
		"grpc":               "grpc-go's package, with spans",
		"grpc-without-limit": "the same, without the limit of events",
	}
	table := "| The server has | Allocations for a message | Bytes |\n|---|---|---|\n"
	for _, name := range names {
		require.Len(t, bytes[name], 5, name)
		slices.Sort(bytes[name])
		slices.Sort(allocs[name])
		table += fmt.Sprintf("| %s | %d | %d |\n", titles[name], allocs[name][2], bytes[name][2])
	}
	golden.Section(t, "README.md", "bench", table)
	for _, ns := range fast {
		require.Greater(t, slices.Min(slow), slices.Max(ns))
		for _, other := range fast {
			require.Less(t, slices.Min(ns), slices.Max(other), "the runs overlap")
		}
	}
}
