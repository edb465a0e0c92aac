package sendisnotdelivery

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
)

func TestSurvival_OfFixedReport(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	hundred := make([]int64, 100)
	endless := make([]int64, 1<<20)
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			require.NoError(t, FixedReport(ctx, pitfalltest.Dial(t, &service.Server{})))
		}),
		InputNeverEnds: pitfalltest.NotApplicable("a slice has an end"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			require.NoError(t, FixedReport(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), endless...))
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Ends(unavailable), pitfalltest.SlowSend())
			start := time.Now()
			err := FixedReport(ctx, client, endless...)
			require.EqualError(t, err, unavailable.Error(), "also if Send fails")
			require.Equal(t, 2*time.Second, time.Since(start), "the second Send fails, and is the last one")

			err = FixedReport(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), 1)
			require.EqualError(t, err, unavailable.Error(), "also if no Send fails")
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				return FixedReport(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), endless...)
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				return FixedReport(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), 1)
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			err := FixedReport(pitfalltest.Canceled(ctx), pitfalltest.Dial(t, &service.Server{}), 1)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			server, received := slowServer()
			ctx, cancel := context.WithTimeout(ctx, 95*time.Millisecond)
			defer cancel()
			err = FixedReport(ctx, pitfalltest.Dial(t, server), hundred...)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			time.Sleep(time.Second)
			synctest.Wait() // the handler has returned
			require.Less(t, received.count, 100)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server, received := slowServer()
			client, network := pitfalltest.DialFaulty(t, server)
			time.AfterFunc(95*time.Millisecond, func() { network.Conn().Drop() })
			err := FixedReport(ctx, client, hundred...)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			time.Sleep(time.Second)
			synctest.Wait() // the handler has returned
			require.Less(t, received.count, 100)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			require.ErrorContains(t, FixedReport(ctx, client, 1), "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			pitfalltest.InARow(func(int) { require.NoError(t, FixedReport(ctx, client, hundred...)) })
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error { return FixedReport(ctx, client, hundred...) }) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// The client refuses to send a message that is larger than its own limit.
func TestBoth_ReturnTheErrorOfTheirOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{},
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1)))
		err := FixedReport(t.Context(), client, 3)
		require.ErrorContains(t, err, "trying to send message larger than max")
		err = BrokenReport(t.Context(), client, 3)
		require.ErrorContains(t, err, "trying to send message larger than max")
	})
}
