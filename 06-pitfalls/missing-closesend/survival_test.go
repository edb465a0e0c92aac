package missingclosesend

import (
	"context"
	"slices"
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
	survival(func(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
		got, err := FixedEcho(ctx, c, values...)
		var sum int64
		for _, v := range got {
			sum += v
		}
		return sum, err
	}).Run(t)
}

func TestSurvival_OfFixedSum(t *testing.T) { survival(FixedSum).Run(t) }

// many are more numbers than the windows of both directions hold. Negative
// numbers are encoded in 10 bytes.
var many = slices.Repeat([]int64{-1}, 30_000)

// survival is the list of a function that returns the sum of what it gets.
func survival(
	call func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) (int64, error),
) pitfalltest.Survival {
	unavailable := status.Error(codes.Unavailable, "restarting")
	return pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			sum, err := call(ctx, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, err)
			require.Zero(t, sum)
		}),
		// A slice has an end, so its length is what may be too large.
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			sum, err := call(ctx, pitfalltest.Dial(t, &service.Server{}), many...)
			require.NoError(t, err)
			require.EqualValues(t, -len(many), sum)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			sum, err := call(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), many...)
			require.NoError(t, err)
			require.EqualValues(t, -1, sum)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, values := range [][]int64{{1}, many} {
				_, err := call(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), values...)
				require.EqualError(t, err, unavailable.Error())
			}
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			endsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := call(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), many...)
				return err
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			endsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := call(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), 1, 2, 3)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{0, time.Second} {
				endsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := call(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), many...)
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, err := call(ctx, client, many...)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, err := call(ctx, client, 1, 2, 3)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			pitfalltest.InARow(func(int) {
				sum, err := call(ctx, client, 1, 2, 3)
				require.NoError(t, err)
				require.EqualValues(t, 6, sum)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := call(ctx, client, 1, 2, 3)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}
}

// endsAt requires that f ends when its context does, after limit.
func endsAt(t *testing.T, ctx context.Context, limit time.Duration, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
	require.Equal(t, limit, time.Since(start))
}

// The caller may change its values when FixedEcho has returned.
func TestEcho_ReturnsAfterItsSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, pitfalltest.Ends(nil), grpc.WithStreamInterceptor(
			func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
				open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
				stream, err := open(ctx, desc, cc, method, opts...)
				return slowStream{stream}, err
			}))
		start := time.Now()
		got, err := FixedEcho(t.Context(), client, 1, 2, 3)
		require.NoError(t, err)
		require.Equal(t, []int64{1}, got)
		require.Equal(t, 2*time.Second, time.Since(start), "the second Send fails")
	})
}

type slowStream struct{ grpc.ClientStream }

func (s slowStream) SendMsg(m any) error {
	defer time.Sleep(time.Second)
	return s.ClientStream.SendMsg(m)
}
