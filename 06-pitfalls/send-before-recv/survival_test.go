package sendbeforerecv

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := FixedEcho(ctx, pitfalltest.Dial(t, &service.Server{}), 0)
			require.NoError(t, err)
			require.Empty(t, values)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), math.MaxInt64)
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), 1000)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), 1000)
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), 1000)
				return err
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedEcho(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), 1)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedEcho(pitfalltest.Canceled(ctx), pitfalltest.Dial(t, &service.Server{}), 10)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			ctx, cancel := context.WithTimeout(ctx, 95*time.Millisecond)
			defer cancel()
			values, err := FixedEcho(ctx, pitfalltest.Dial(t, slow), math.MaxInt64)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Len(t, values, 9)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, slow)
			time.AfterFunc(95*time.Millisecond, func() { network.Conn().Drop() })
			values, err := FixedEcho(ctx, client, math.MaxInt64)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Len(t, values, 9)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, err := FixedEcho(ctx, client, 10)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			pitfalltest.InARow(func(i int) {
				values, err := FixedEcho(ctx, client, int64(i%10))
				require.NoError(t, err)
				require.Len(t, values, i%10)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedEcho(ctx, client, 10)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// The client refuses to send a message that is larger than its own limit.
func TestBoth_ReturnTheErrorOfTheirOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{},
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1000)))
		_, err := FixedEcho(t.Context(), client, 3)
		require.ErrorContains(t, err, "trying to send message larger than max")
		_, err = BrokenEcho(t.Context(), client, 3)
		require.ErrorContains(t, err, "trying to send message larger than max")
	})
}

// slow is a server that works 10 ms on each number.
var slow = &service.Server{
	OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
		for {
			n, err := stream.Recv()
			if err != nil {
				return err
			}
			time.Sleep(10 * time.Millisecond)
			if err := stream.Send(n); err != nil {
				return err
			}
		}
	},
}
