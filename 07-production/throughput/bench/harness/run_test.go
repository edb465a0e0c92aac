package harness

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each sample starts its contender, warms it up, measures it, and ends it.
func TestMeasure_InterleavesAndRotates(t *testing.T) {
	var turns []string
	c := Comparison{Name: "fake", Unit: "steps", N: 10, Contenders: []Contender{
		fake("a", 8, &turns), fake("b", 2, &turns),
	}}
	result, err := Measure(t.Context(), c, Options{Rounds: 2})
	require.NoError(t, err)
	require.Equal(t, []string{
		"a", "a", "end a", "b", "b", "end b",
		"b", "b", "end b", "a", "a", "end a",
	}, turns)
	var units []string
	for _, m := range result.Samples[0][0].Metrics {
		units = append(units, m.Unit)
	}
	require.Contains(t, units, "cpu-ns/op")
	require.NotContains(t, units, nsPerOp, "the Unit is another one")
	require.Equal(t, Spread{2, 2, 2}, result.Spread(1, "steps"))
	require.Equal(t, Spread{4, 4, 4}, result.Spread(1, "ratio"))
}

func TestMeasure_ShortIsOneRoundOfFewOperations(t *testing.T) {
	var sizes []int
	c := Comparison{Name: "fake", Unit: nsPerOp, ShortN: 70, Contenders: []Contender{{
		Name: "a", Start: func(*Run) (Do, error) {
			return func(n int) ([]Metric, error) { sizes = append(sizes, n); return nil, nil }, nil
		},
	}}}
	_, err := Measure(t.Context(), c, Options{Rounds: 9, Short: true})
	require.NoError(t, err)
	require.Equal(t, []int{7, 70}, sizes)
}

// An operation takes a millisecond.
func TestMeasure_ChoosesTheSizeOfASample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Comparison{Name: "fake", Unit: nsPerOp, Contenders: []Contender{{
			Name: "a", Start: func(*Run) (Do, error) {
				return func(n int) ([]Metric, error) { time.Sleep(time.Duration(n) * time.Millisecond); return nil, nil }, nil
			},
		}}}
		result, err := Measure(t.Context(), c, Options{Rounds: 1, Sample: time.Second})
		require.NoError(t, err)
		require.Equal(t, 1000, result.Samples[0][0].N)
		require.InDelta(t, 1e6, result.Samples[0][0].Value(nsPerOp), 1)
	})
}

func TestMeasure_NamesTheContenderThatFailed(t *testing.T) {
	ended := 0
	c := Comparison{Name: "fake", Unit: "steps", N: 1, Contenders: []Contender{{
		Name: "a", Start: func(r *Run) (Do, error) {
			r.Defer(func() error { ended++; return nil })
			return func(int) ([]Metric, error) { return nil, errFake }, nil
		},
	}}}
	_, err := Measure(t.Context(), c, Options{Rounds: 3})
	require.ErrorIs(t, err, errFake)
	require.ErrorContains(t, err, "fake: a: ")
	require.Equal(t, 1, ended)
}

func TestMeasure_EndsASampleThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Comparison{Name: "fake", Unit: "steps", N: 1, Contenders: []Contender{{
			Name: "a", Start: func(r *Run) (Do, error) {
				return func(int) ([]Metric, error) { <-r.Context.Done(); return nil, r.Context.Err() }, nil
			},
		}}}
		_, err := Measure(t.Context(), c, Options{Rounds: 1})
		require.ErrorContains(t, err, "the sample took more than 3m0s")
	})
}

// Others use both CPUs until the third sample.
func TestQuietSample_RepeatsWhatWasDisturbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		samples := 0
		a := Contender{Name: "a", Start: func(*Run) (Do, error) {
			samples++
			return func(int) ([]Metric, error) { time.Sleep(10 * time.Millisecond); return nil, nil }, nil
		}}
		start := time.Now()
		busy := func() (time.Duration, bool) {
			if samples > 2 {
				return 0, true
			}
			return 200 * time.Since(start), true
		}
		m := &measurement{comparison: Comparison{Unit: nsPerOp}, options: Options{Retries: 5}, guard: &guard{busy, 2}}
		_, err := m.quietSample(t.Context(), a, 1)
		require.NoError(t, err)
		require.Equal(t, 3, samples)
		require.Equal(t, 2, m.repeated)
		require.Zero(t, m.disturbed)

		samples = -100
		m.options.Retries = 1
		_, err = m.quietSample(t.Context(), a, 1)
		require.NoError(t, err)
		require.Equal(t, 3, m.repeated)
		require.Equal(t, 1, m.disturbed)
	})
}
