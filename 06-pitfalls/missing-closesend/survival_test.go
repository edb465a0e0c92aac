package missingclosesend

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	pitfalltest.OfSumCall(func(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
		got, err := FixedEcho(ctx, c, values...)
		var sum int64
		for _, v := range got {
			sum += v
		}
		return sum, err
	}).Run(t)
}

func TestSurvival_OfFixedSum(t *testing.T) { pitfalltest.OfSumCall(FixedSum).Run(t) }

// The caller may change its values when FixedEcho has returned.
func TestEcho_ReturnsAfterItsSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, pitfalltest.Ends(nil), pitfalltest.SlowSend())
		start := time.Now()
		got, err := FixedEcho(t.Context(), client, 1, 2, 3)
		require.NoError(t, err)
		require.Equal(t, []int64{1}, got)
		require.Equal(t, 2*time.Second, time.Since(start), "the second Send fails")
	})
}
