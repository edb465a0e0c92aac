package harness

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGuard_ReadsTheTimeOfAllCPUs(t *testing.T) {
	busy, err := parseBusy("cpu  100 20 30 9999 8888 5 6 7 50 60\ncpu0 1 2 3 4 5 6 7 8\n")
	require.NoError(t, err)
	require.Equal(t, 1680*time.Millisecond, busy) // neither idle, nor guests, who are in user
}

func TestGuard_RejectsWhatIsNoProcStat(t *testing.T) {
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		_, err := parseBusy(text)
		require.ErrorContains(t, err, "/proc/stat", "of %q", text)
	}
}

func TestGuard_ForeignIsTheShareOfOthers(t *testing.T) {
	g := &guard{cpus: 2}
	require.InDelta(t, 0.25, g.foreign(time.Second, 1500*time.Millisecond, time.Second), 1e-9)
	require.Zero(t, g.foreign(time.Second, time.Second, 1100*time.Millisecond), "the clocks differ")
}

// Others use both CPUs for 5 s.
func TestGuard_WaitsUntilTheMachineIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := &guard{cpus: 2, busy: func() (time.Duration, bool) {
			return 2 * min(time.Since(start), 5*time.Second), true
		}}
		require.NoError(t, g.waitQuiet(t.Context(), time.Minute))
		require.InDelta(t, 5*time.Second, time.Since(start), float64(300*time.Millisecond))
	})
}

func TestGuard_WaitsNoLongerThanItsLimit(t *testing.T) {
	for share, waits := range map[float64]time.Duration{1: 3 * time.Second, 0.13: 3 * time.Second, 0.11: 150 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			g := &guard{cpus: 2, busy: func() (time.Duration, bool) {
				return time.Duration(2 * share * float64(time.Since(start))), true
			}}
			require.NoError(t, g.waitQuiet(t.Context(), 3*time.Second))
			require.InDelta(t, waits, time.Since(start), float64(200*time.Millisecond), "%v", share)
		})
	}
}

func TestGuard_DoesNotWaitIfItKnowsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := &guard{cpus: 2, busy: func() (time.Duration, bool) { return 0, false }}
		require.NoError(t, g.waitQuiet(t.Context(), time.Minute))
		require.Zero(t, time.Since(start))
	})
}
