package harness

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread_IsMedianAndRange(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9}},
		{[]float64{4, 1, 2, 9}, Spread{3, 1, 9}},
	} {
		require.Equal(t, tt.want, spread(tt.values), "of %v", tt.values)
	}
}

func TestSpread_DoesNotSortItsInput(t *testing.T) {
	values := []float64{3, 1, 2}
	spread(values)
	require.Equal(t, []float64{3, 1, 2}, values)
}

func TestDigits_AreFourOrAllBeforeThePoint(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0.000", 0.04567: "0.046", 1: "1.000", 12.345: "12.35", 999.96: "1000.0", 123456.7: "123457",
	} {
		require.Equal(t, want, digits(value), "of %v", value)
	}
}

func TestOrder_BeginsWithAnotherOneEachRound(t *testing.T) {
	require.Equal(t, []int{0, 1, 2}, order(0, 3))
	require.Equal(t, []int{1, 2, 0}, order(1, 3))
	require.Equal(t, []int{2, 0, 1}, order(2, 3))
	require.Equal(t, []int{0, 1, 2}, order(3, 3))
}

// The machine was twice as slow in the second round. The ratios do not
// show it.
func TestRatios_CompareSamplesOfTheSameRound(t *testing.T) {
	samples := [][]Sample{
		samplesOf("ns/op", 100, 200),
		samplesOf("ns/op", 50, 100),
		samplesOf("ns/op", 400, 800),
	}
	addRatios(samples, "ns/op")
	for i, want := range []float64{1, 2, 0.25} {
		for round, s := range samples[i] {
			require.InDelta(t, want, s.Value("ratio"), 1e-9, "of contender %d in round %d", i, round)
		}
	}
}

func TestRatios_AreMissingWithoutTheMetric(t *testing.T) {
	samples := [][]Sample{samplesOf("ns/op", 100), samplesOf("other", 50)}
	addRatios(samples, "ns/op")
	require.Len(t, samples[1][0].Metrics, 1)
}
