package logs

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

// The table of the page has the medians of the runs of BenchmarkFanOut that
// are in testdata/bench.txt.
func TestBenchTable_HasTheMedians(t *testing.T) {
	runs, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	median := func(unit string) float64 {
		var values []float64
		for _, m := range regexp.MustCompile(`(?m)^BenchmarkFanOut.*\s([\d.]+) `+unit+`(\s|$)`).FindAllStringSubmatch(string(runs), -1) {
			v, err := strconv.ParseFloat(m[1], 64)
			require.NoError(t, err)
			values = append(values, v)
		}
		require.Len(t, values, 6, unit)
		slices.Sort(values)
		return (values[2] + values[3]) / 2
	}
	table := "| Way | CPU time for one entry to one follower | Ratio to the first row, median of six runs |\n|---|---|---|\n" +
		fmt.Sprintf("| a loop of `Send` over a list of streams | %.0f ns | 1 |\n", median("ns/loop")) +
		fmt.Sprintf("| one log, a cursor for each follower | %.0f ns | 1 / %.1f |\n", median("ns/log"), median("loop/log")) +
		fmt.Sprintf("| the same, each entry encoded once | %.0f ns | 1 / %.1f |\n", median("ns/once"), median("loop/once"))
	golden.Section(t, "../README.md", "fan-out", table)
}
