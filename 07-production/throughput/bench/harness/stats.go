package harness

import (
	"fmt"
	"slices"
	"strconv"
)

// A Spread is the median of some values, and their range.
type Spread struct{ Median, Min, Max float64 }

// spread returns zeros if there is no value.
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	median := v[mid]
	if len(v)%2 == 0 {
		median = (v[mid-1] + v[mid]) / 2
	}
	return Spread{median, v[0], v[len(v)-1]}
}

func (s Spread) String() string {
	return fmt.Sprintf("%s [%s..%s]", digits(s.Median), digits(s.Min), digits(s.Max))
}

// digits returns a value with four digits, or all digits before the point.
func digits(v float64) string {
	precision := 0
	for limit := v; limit < 1000 && precision < 3; limit *= 10 {
		precision++
	}
	return strconv.FormatFloat(v, 'f', precision, 64)
}

// order returns the order of n contenders in a round: each round begins with
// another one.
func order(round, n int) []int {
	turns := make([]int, n)
	for i := range turns {
		turns[i] = (round + i) % n
	}
	return turns
}

// A Sample is what one contender did in one round.
type Sample struct {
	N       int
	Metrics []Metric
}

// Value returns a metric, or 0 if the sample does not have it.
func (s Sample) Value(unit string) float64 {
	for _, m := range s.Metrics {
		if m.Unit == unit {
			return m.Value
		}
	}
	return 0
}

// addRatios adds to each sample how many times better it is than the sample
// of the first contender in the same round, by a metric of which less is
// better.
func addRatios(samples [][]Sample, unit string) {
	for _, contender := range samples {
		for round, s := range contender {
			if v := s.Value(unit); v > 0 {
				base := samples[0][round].Value(unit)
				contender[round].Metrics = append(s.Metrics, Metric{"ratio", base / v})
			}
		}
	}
}
