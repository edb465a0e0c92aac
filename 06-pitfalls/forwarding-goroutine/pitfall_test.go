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
		first, second := giveUp(t, client, BrokenCount), giveUp(t, client, BrokenCount)

		time.Sleep(24 * time.Hour)
		require.Zero(t, pitfalltest.OpenStreams(t, client), "handlers of the server")

		require.EqualValues(t, 2, <-first)
		require.EqualValues(t, 2, <-second)
		for range first { // the rest, so that the bubble can end
		}
		for range second {
		}
	})
}

func TestFixed_CountEndsAtTheCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		numbers := giveUp(t, pitfalltest.Dial(t, &service.Server{}), FixedCount)

		synctest.Wait()
		_, left := <-numbers
		for range numbers { // if any, so that the bubble can end
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
			_, err := read(count(t.Context(), client, &pitfallsv1.CountRequest{To: -1}))
			require.Equal(t, codes.InvalidArgument, status.Code(err))

			values, err := read(count(t.Context(), client, &pitfallsv1.CountRequest{To: 3}))
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, values)
		})
	}
}

type count = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest,
) (<-chan int64, func() error)

// giveUp reads one of many numbers, and cancels the call while the second
// number waits for a reader.
func giveUp(t *testing.T, c pitfallsv1.PitfallServiceClient, count count) <-chan int64 {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	numbers, _ := count(ctx, c, &pitfallsv1.CountRequest{To: 1000})
	require.EqualValues(t, 1, <-numbers)
	synctest.Wait()
	return numbers
}

// read reads until the channel is closed, and returns what arrived.
func read(numbers <-chan int64, wait func() error) (values []int64, err error) {
	for v := range numbers {
		values = append(values, v)
	}
	return values, wait()
}
