package cancellation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheLimitOfTheWaitDoublesUpToAMaximum(t *testing.T) {
	b := Backoff{Base: 100 * time.Millisecond, Max: time.Second}
	for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		require.Equal(t, want*time.Millisecond, b.limit(i+1), "after %d failures", i+1)
	}
	require.Equal(t, time.Second, b.limit(1_000_000), "and it never overflows")
	require.Equal(t, 100*time.Millisecond, Backoff{}.limit(1), "by default")
	require.Equal(t, 30*time.Second, Backoff{}.limit(100), "by default")
	require.Equal(t, time.Second, Backoff{Base: time.Minute, Max: time.Second}.limit(1))
}

// Full jitter: every wait below the limit is as likely as any other. The
// mean of 10,000 is within 5 % of the middle but for 1 run in 10^60.
func TestAllOfTheWaitIsRandom(t *testing.T) {
	const n = 10_000
	var sum, least, most time.Duration = 0, time.Hour, 0
	for range n {
		wait := Backoff{}.Wait(3)
		sum += wait
		least, most = min(least, wait), max(most, wait)
	}
	require.InEpsilon(t, 200*time.Millisecond, sum/n, 0.05)
	require.Less(t, least, 40*time.Millisecond)
	require.Greater(t, most, 360*time.Millisecond)
	require.Less(t, most, 400*time.Millisecond)
}
