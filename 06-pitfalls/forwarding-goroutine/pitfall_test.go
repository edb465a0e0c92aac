package forwardinggoroutine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_CountStillWaitsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		items := giveUp(t, client, BrokenCount)

		time.Sleep(24 * time.Hour)
		require.Zero(t, pitfalltest.OpenStreams(t, client), "handlers of the server")

		require.Equal(t, item{value: 2}, <-items)
		for range items { // the rest, so that the bubble can end
		}
	})
}

func TestFixed_CountEndsAtTheCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := giveUp(t, pitfalltest.Dial(t, &service.Server{}), FixedCount)

		synctest.Wait()
		_, left := <-items
		for range items { // if any, so that the bubble can end
		}
		require.False(t, left)
	})
}

func TestBroken_CountKeepsABubbleFromEnding(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		synctest.Test(t, func(t *testing.T) {
			giveUp(t, pitfalltest.Dial(t, &service.Server{}), BrokenCount)
		})
	})
	require.Contains(t, out, "panic: deadlock: main bubble goroutine has exited but blocked goroutines remain")
	require.Contains(t, out, "[chan send (durable)")
}

func TestBoth_EndWithTheStatusIfReadToTheEnd(t *testing.T) {
	for _, count := range []count{BrokenCount, FixedCount} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfalltest.Dial(t, &service.Server{})
			items, err := count(t.Context(), client, &pitfallsv1.CountRequest{To: -1})
			require.NoError(t, err)
			last := <-items
			require.Equal(t, codes.InvalidArgument, status.Code(last.err))
			_, more := <-items
			require.False(t, more)
		})
	}
}

type count = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest,
) (<-chan item, error)

// giveUp reads one of many numbers, and cancels the call while the second
// number waits for a reader.
func giveUp(t *testing.T, c pitfallsv1.PitfallServiceClient, count count) <-chan item {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	items, err := count(ctx, c, &pitfallsv1.CountRequest{To: 1000})
	require.NoError(t, err)
	require.Equal(t, item{value: 1}, <-items)
	synctest.Wait()
	return items
}
