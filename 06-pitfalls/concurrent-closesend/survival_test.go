package concurrentclosesend

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	echo := new(service.Server)
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			answers, err := FixedEcho(ctx, pitfalltest.Dial(t, echo), three(), nil)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, answers)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, echo)
			stop := make(chan struct{})
			time.AfterFunc(time.Hour+time.Millisecond, func() { close(stop) })
			start := time.Now()
			answers, err := FixedEcho(ctx, client, ticks(), stop)
			require.NoError(t, err)
			require.Len(t, answers, 3600)
			require.Equal(t, time.Hour+time.Millisecond, time.Since(start))
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			answers, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), one(), nil)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, answers)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			answers, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), one(), nil)
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, answers)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			always := make(chan int64, 50_000)
			for range cap(always) {
				always <- 1 << 62
			}
			start := time.Now()
			_, err := FixedEcho(ctx, client, always, nil)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, time.Hour, time.Since(start))
			require.NotEmpty(t, always, "Send waited")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedEcho(ctx, client, three(), nil)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, echo)
			_, err := FixedEcho(pitfalltest.Canceled(ctx), client, three(), nil)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			limited, cancel := context.WithTimeout(ctx, 2500*time.Millisecond)
			defer cancel()
			answers, err := FixedEcho(limited, client, ticks(), nil)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1, 2}, answers)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, echo)
			time.AfterFunc(2500*time.Millisecond, func() { network.Conn().Drop() })
			answers, err := FixedEcho(ctx, client, ticks(), nil)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1, 2}, answers)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, echo)
			network.Refuse(1)
			_, err := FixedEcho(ctx, client, three(), nil)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, echo)
			pitfalltest.InARow(func(int) {
				answers, err := FixedEcho(ctx, client, three(), nil)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, answers)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, echo)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedEcho(ctx, client, three(), nil)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// three returns a channel of three values that is closed.
func three() <-chan int64 {
	values := make(chan int64, 3)
	for i := range int64(3) {
		values <- i + 1
	}
	close(values)
	return values
}

// one returns a channel of one value that is never closed.
func one() <-chan int64 {
	values := make(chan int64, 1)
	values <- 1
	return values
}

// ticks returns a channel that gets a value each second for an hour, from 1 on,
// and is never closed.
func ticks() <-chan int64 {
	values := make(chan int64, 3600)
	for i := range int64(3600) {
		time.AfterFunc(time.Duration(i+1)*time.Second, func() { values <- i + 1 })
	}
	return values
}
