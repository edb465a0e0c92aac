package sendeof

import (
	"context"
	"errors"
	"iter"
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

func TestSurvival_OfFixedSum(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			sum, err := FixedSum(ctx, pitfalltest.Dial(t, &service.Server{}), slowly())
			require.NoError(t, err)
			require.Zero(t, sum)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), ones)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			sum, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), slowly(5, 6, 7))
			require.NoError(t, err)
			require.Equal(t, int64(5), sum)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			sum, err := FixedSum(ctx, pitfalltest.Dial(t, refusing), slowly(1, -2))
			require.EqualError(t, err, refusal)
			require.Zero(t, sum)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Hour, cancel)
			start := time.Now()
			_, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), ones)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Equal(t, time.Hour, time.Since(start), "only the caller ends the call")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			start := time.Now()
			_, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), slowly(1))
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, time.Hour, time.Since(start))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			_, err := FixedSum(pitfalltest.Canceled(ctx), client, slowly(1))
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			ctx, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
			defer cancel()
			_, err = FixedSum(ctx, client, slowly(1, 2, 3))
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.False(t, errors.Is(err, context.DeadlineExceeded), "the status, not the error of the context")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			time.AfterFunc(150*time.Millisecond, func() { network.Conn().Drop() })
			_, err := FixedSum(ctx, client, slowly(1, 2, 3))
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, err := FixedSum(ctx, client, slowly(1))
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, refusing)
			pitfalltest.InARow(func(int) {
				_, err := FixedSum(ctx, client, slowly(-2, 3))
				require.EqualError(t, err, refusal)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error {
				sum, err := FixedSum(ctx, client, slowly(1, 2, 3))
				if err == nil && sum != 6 {
					err = errors.New("the sum is wrong")
				}
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// ones yields 1 forever.
var ones iter.Seq[int64] = func(yield func(int64) bool) {
	for yield(1) {
	}
}

// The client refuses to send a message that is larger than its own limit.
func TestBoth_ReturnTheErrorOfTheirOwnSend(t *testing.T) {
	for _, sum := range []sum{BrokenSum, FixedSum} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfalltest.Dial(t, &service.Server{},
				grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1)))
			_, err := sum(t.Context(), client, slowly(3))
			require.ErrorContains(t, err, "send 3: rpc error: code = ResourceExhausted")
		})
	}
}
