package bench_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/07-production/throughput/bench"
	"example.com/streams/07-production/throughput/bench/harness"
)

// Each contender does a little work and checks it.
func TestComparisons_EachContenderIsCorrect(t *testing.T) {
	for _, c := range bench.Comparisons() {
		t.Run(c.Name, func(t *testing.T) {
			start := time.Now()
			result, err := harness.Measure(t.Context(), c, harness.Options{Short: true})
			require.NoError(t, err)
			for i, contender := range c.Contenders {
				require.Positive(t, result.Spread(i, c.Unit).Median, "%s of %s", c.Unit, contender.Name)
			}
			t.Log(time.Since(start))
		})
	}
}

// A comparison that has changed must be measured again.
func TestResults_HaveEachContender(t *testing.T) {
	for _, c := range bench.Comparisons() {
		text, err := os.ReadFile(filepath.Join("results", c.Name+".txt"))
		require.NoError(t, err, "go run ./cmd/bench -out results %s", c.Name)
		for _, contender := range c.Contenders {
			require.Contains(t, string(text), "/"+contender.Name+"-", "%s; go run ./cmd/bench -out results %[1]s", c.Name)
		}
		require.FileExists(t, filepath.Join("results", c.Name+".svg"))
	}
}
