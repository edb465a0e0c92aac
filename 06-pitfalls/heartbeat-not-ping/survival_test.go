package heartbeatnotping

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedWatch(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			numbers := make(chan int64)
			close(numbers)
			values, err := read(ctx, pitfalltest.Dial(t, watch(FixedWatch, numbers)))
			require.NoError(t, err)
			require.Empty(t, values)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			values, err := read(ctx, pitfalltest.Dial(t, watch(FixedWatch, endless(ctx, time.Second))))
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.InDelta(t, 60, len(values), 1)
		}),
		PeerEndsWithOK:    pitfalltest.NotApplicable("a client ends the stream by canceling it"),
		PeerEndsWithError: pitfalltest.NotApplicable("a client ends the stream by canceling it"),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			s := watch(FixedWatch, endless(ctx, time.Microsecond))
			_, err := pitfalltest.Dial(t, s).Count(ctx, &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.EqualValues(t, 1, s.OpenStreams(), "Send waits")
			cancel()
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		PeerDoesNotSend: pitfalltest.NotApplicable("the handler receives nothing"),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := watch(FixedWatch, nil)
			client := pitfalltest.Dial(t, s)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := read(ctx, client)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := watch(FixedWatch, nil)
			client, network := pitfalltest.DialFaulty(t, s)
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			_, err := read(ctx, client)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		ServerIsAway: pitfalltest.NotApplicable("this is the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			numbers := make(chan int64)
			close(numbers)
			client := pitfalltest.Dial(t, watch(FixedWatch, numbers))
			pitfalltest.InARow(func(int) {
				_, err := read(ctx, client)
				require.NoError(t, err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			numbers := make(chan int64)
			time.AfterFunc(2*time.Minute, func() { close(numbers) })
			client := pitfalltest.Dial(t, watch(FixedWatch, numbers))
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := read(ctx, client)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// endless returns a channel that gets a number every interval until ctx ends.
func endless(ctx context.Context, interval time.Duration) <-chan int64 {
	numbers := make(chan int64)
	go func() {
		for {
			time.Sleep(interval)
			select {
			case numbers <- 1:
			case <-ctx.Done():
				return
			}
		}
	}()
	return numbers
}
