package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

var example = &Result{
	Comparison: Comparison{Name: "message-16B", Title: "One message of 16 B <&>", Op: "one message", Unit: nsPerOp,
		Contenders: []Contender{{Name: "unary"}, {Name: "stream"}}},
	CPUs:      2,
	Samples:   [][]Sample{samplesOf(nsPerOp, 38000, 40000, 41000), samplesOf(nsPerOp, 760, 1000, 500)},
	Repeated:  4,
	Disturbed: 1,
}

func init() { addRatios(example.Samples, nsPerOp) }

func TestText_IsTheFormatOfBenchmarks(t *testing.T) {
	got := example.Text([]Setting{{"date", "2026-11-21"}, {"command", "go run ./cmd/bench message"}})
	golden.File(t, "testdata/result.txt", got)
}

func TestPlot_IsABarForEachContender(t *testing.T) {
	golden.File(t, "testdata/ratio.svg", example.Plot("ratio"))
	golden.File(t, "testdata/metric.svg", example.Plot(nsPerOp))
}

func TestSettings_NameDateCommandAndVersions(t *testing.T) {
	settings := Settings(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), "bench message")
	got := map[string]string{}
	for _, s := range settings {
		got[s.Key] = s.Value
		require.NotEmpty(t, s.Value, s.Key)
	}
	require.Equal(t, "2026-11-21", got["date"])
	require.Equal(t, "bench message", got["command"])
	for _, key := range []string{"goos", "goarch", "cpu", "cpus", "go"} {
		require.Contains(t, got, key)
	}
}
