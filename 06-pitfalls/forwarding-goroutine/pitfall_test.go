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
		items, err := giveUp(t.Context(), client, BrokenCount)
		require.NoError(t, err)

		time.Sleep(24 * time.Hour)
		require.Zero(t, pitfalltest.OpenStreams(t, client), "handlers of the server")

		require.Equal(t, item{value: 2}, <-items)
		for range items { // the rest, so that the bubble can end
		}
	})
}

func TestFixed_CountEndsAtTheCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		items, err := giveUp(t.Context(), client, FixedCount)
		require.NoError(t, err)

		synctest.Wait()
		_, left := <-items
		for range items { // if any, so that the bubble can end
		}
		require.False(t, left)
	})
}

const deadlock = "panic: deadlock: main bubble goroutine has exited but blocked goroutines remain"

func TestBroken_CountKeepsABubbleFromEnding(t *testing.T) {
	out := pitfalltest.Process(t, func() { giveUpInABubble(t, BrokenCount) })
	require.Contains(t, out, deadlock)
	require.Contains(t, out, "[chan send (durable)")
}

func TestFixed_CountLetsABubbleEnd(t *testing.T) {
	out := pitfalltest.Process(t, func() { giveUpInABubble(t, FixedCount) })
	require.NotContains(t, out, deadlock)
}

func giveUpInABubble(t *testing.T, code count) {
	synctest.Test(t, func(t *testing.T) {
		_, err := giveUp(t.Context(), pitfalltest.Dial(t, &service.Server{}), code)
		require.NoError(t, err)
	})
}

func TestBoth_EndWithTheStatusIfReadToTheEnd(t *testing.T) {
	for _, count := range []count{BrokenCount, FixedCount} {
		synctest.Test(t, func(t *testing.T) {
			items, err := count(t.Context(), pitfalltest.Dial(t, &service.Server{}), &pitfallsv1.CountRequest{To: -1})
			require.NoError(t, err)
			last := <-items
			require.Equal(t, codes.InvalidArgument, status.Code(last.err))
			_, more := <-items
			require.False(t, more)
		})
	}
}

type count = func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest) (<-chan item, error)

// giveUp reads one of many numbers, and cancels the call while the second one
// waits for a reader.
func giveUp(ctx context.Context, c pitfallsv1.PitfallServiceClient, count count) (<-chan item, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	items, err := count(ctx, c, &pitfallsv1.CountRequest{To: 1000})
	if err != nil {
		return nil, err
	}
	first := <-items
	time.Sleep(100 * time.Millisecond)
	return items, first.err
}
