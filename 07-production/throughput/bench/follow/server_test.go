package follow

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A times is a publisher that notes when it is called.
type times []time.Time

func (t *times) publish(string) { *t = append(*t, time.Now()) }

func (*times) close() {}

// The mean of 10,000 pauses is within 5 % of the pace except in 1 run of 10^17.
func TestRequest_RandomPaceIsAMean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pace = 20 * time.Millisecond
		var published times
		start := time.Now()
		request{Messages: 10_000, Pace: pace, Random: true}.run(t.Context(), &published)
		require.Len(t, published, 10_000)
		require.InEpsilon(t, pace, time.Since(start)/10_000, 0.05)
		shorter := 0 // than half of the pace: a quarter of the pauses
		for i := range published[1:] {
			if published[i+1].Sub(published[i]) < pace/2 {
				shorter++
			}
		}
		require.InEpsilon(t, 2500, shorter, 0.2)
	})
}

func TestLine_HasTheBytesOfTheResult(t *testing.T) {
	text, err := os.ReadFile("../results/news.txt")
	require.NoError(t, err)
	require.Contains(t, string(text), "\nop: "+news().Op+"\n")
	require.Len(t, line, 101, "docs/choosing.md has this number")
}
