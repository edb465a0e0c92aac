// Package benchruns reads recorded runs of benchmarks.
package benchruns

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Runs are the recorded runs of one benchmark. Methods may be called
// concurrently.
type Runs []string // a line each

// Read returns the runs of a benchmark in a file that go test -bench has
// printed, such as "BenchmarkUpload/hashed". It fails the test unless the
// file has six of them.
func Read(t *testing.T, file, benchmark string) Runs {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(benchmark)+`(-\d+)?\s.*$`).FindAllString(string(text), -1)
	require.Len(t, lines, 6, "%s: runs of %s", file, benchmark)
	return lines
}

// Median returns the median of the values with a unit, such as "ns/loop".
func (r Runs) Median(t *testing.T, unit string) float64 {
	t.Helper()
	var values []float64
	for _, line := range r {
		m := regexp.MustCompile(`\s([\d.e+]+) ` + regexp.QuoteMeta(unit) + `(\s|$)`).FindStringSubmatch(line)
		require.NotNil(t, m, "a run without %s: %s", unit, line)
		v, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		values = append(values, v)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
