package cancellation

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoff_LimitDoublesUpToMax(t *testing.T) {
	b := Backoff{Base: 100 * time.Millisecond, Max: time.Second}
	for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		require.Equal(t, want*time.Millisecond, b.limit(i+1), "after %d failures", i+1)
	}
	require.Equal(t, time.Second, b.limit(1_000_000), "without overflow")
	require.Equal(t, 100*time.Millisecond, Backoff{}.limit(1), "by default")
	require.Equal(t, 30*time.Second, Backoff{}.limit(100), "by default")
	require.Equal(t, time.Second, Backoff{Base: time.Minute, Max: time.Second}.limit(1))
}

// With full jitter, every wait below the limit is equally likely. The mean
// of 10,000 waits is within 5 % of the middle except in 1 run of 10^17.
func TestBackoff_WholeWaitIsRandom(t *testing.T) {
	const n = 10_000
	var sum, shortest, longest time.Duration = 0, time.Hour, 0
	var other sync.WaitGroup
	defer other.Wait()
	other.Go(func() { Backoff{}.Wait(3) }) // Wait may be called concurrently
	for range n {
		wait := Backoff{}.Wait(3)
		sum += wait
		shortest, longest = min(shortest, wait), max(longest, wait)
	}
	require.InEpsilon(t, 200*time.Millisecond, sum/n, 0.05)
	require.Less(t, shortest, 40*time.Millisecond)
	require.Greater(t, longest, 360*time.Millisecond)
	require.Less(t, longest, 400*time.Millisecond)
}
