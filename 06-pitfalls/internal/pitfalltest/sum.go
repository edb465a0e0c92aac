package pitfalltest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A SumHandler handles Sum.
type SumHandler = func(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error

// OfSum lists what a handler of Sum must survive. The caller sets
// InputNeverEnds, because each handler has a way of its own to end such a call.
func OfSum(handler SumHandler) Survival {
	return Survival{
		InputIsClosed: Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serveSum(t, handler)
			for _, values := range [][]int64{nil, {1, 2}} {
				require.NoError(t, add(ctx, client, values...))
				require.NoError(t, <-returned)
			}
		}),
		PeerEndsWithOK: NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serveSum(t, handler)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
			time.AfterFunc(time.Minute, cancel)
			require.Equal(t, codes.Canceled, status.Code(<-returned))
		}),
		PeerDoesNotRead: Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serveSum(t, handler)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend())
			start := time.Now()
			require.NoError(t, <-returned)
			require.Zero(t, time.Since(start), "the response does not wait for its reader")
		}),
		PeerDoesNotSend: Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serveSum(t, handler)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := client.Sum(ctx)
			require.NoError(t, err)
			time.AfterFunc(time.Hour, cancel)
			require.Equal(t, codes.Canceled, status.Code(<-returned))
		}),
		DeadlinePasses: Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{time.Nanosecond, time.Second} {
				client, returned := serveSum(t, handler)
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				start := time.Now()
				_, err := client.Sum(ctx)
				require.NoError(t, err)
				require.Error(t, <-returned)
				require.Equal(t, limit, time.Since(start))
			}
		}),
		ConnectionIsCut: Survives(func(t *testing.T, ctx context.Context) {
			returned := make(chan error, 1)
			client, network := DialFaulty(t, sumServer(handler, returned))
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := client.Sum(ctx)
			require.NoError(t, err)
			Cut(network)
			require.Equal(t, codes.Canceled, status.Code(<-returned))
		}),
		ServerIsAway: NotApplicable("the code runs in the server"),
		ManyInARow: Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveSum(t, handler)
			InARow(func(i int) { require.NoError(t, add(ctx, client, int64(i+1), 1)) })
		}),
		ManyAtOnce: Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveSum(t, handler)
			for _, err := range AtOnce(func(i int) error { return add(ctx, client, int64(i+1), 1, 2, 3) }) {
				require.NoError(t, err)
			}
		}),
	}
}

// add sends the values, and returns an error if the response is not their sum
// and their number.
func add(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	got, err := sum(ctx, c, values...)
	if err != nil {
		return err
	}
	var want int64
	for _, v := range values {
		want += v
	}
	if got.GetSum() != want || got.GetCount() != int64(len(values)) {
		return fmt.Errorf("got %v, want the sum of %v", got, values)
	}
	return nil
}

// serveSum returns a client of the handler, and what the handler returns.
func serveSum(t *testing.T, handler SumHandler) (pitfallsv1.PitfallServiceClient, <-chan error) {
	returned := make(chan error, Many)
	return Dial(t, sumServer(handler, returned)), returned
}

func sumServer(handler SumHandler, returned chan<- error) *service.Server {
	return &service.Server{OnSum: func(
		stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
	) error {
		err := handler(stream)
		returned <- err
		return err
	}}
}

// many are more numbers than the windows of both directions hold. Negative
// numbers are encoded in 10 bytes.
var many = slices.Repeat([]int64{-1}, 30_000)

// A SumCall sends the values and returns their sum.
type SumCall = func(_ context.Context, _ pitfallsv1.PitfallServiceClient, values ...int64) (int64, error)

// OfSumCall lists what a function must survive that calls Sum, or Echo and
// adds up what it gets back.
func OfSumCall(call SumCall) Survival {
	unavailable := status.Error(codes.Unavailable, "restarting")
	return Survival{
		InputIsClosed: Survives(func(t *testing.T, ctx context.Context) {
			sum, err := call(ctx, Dial(t, &service.Server{}))
			require.NoError(t, err)
			require.Zero(t, sum)
		}),
		// A slice has an end, so its length is what may be too large.
		InputNeverEnds: Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			sum, err := call(ctx, Dial(t, &service.Server{}), many...)
			require.NoError(t, err)
			require.EqualValues(t, -len(many), sum)
		}),
		PeerEndsWithOK: Survives(func(t *testing.T, ctx context.Context) {
			sum, err := call(ctx, Dial(t, Ends(nil)), many...)
			require.NoError(t, err)
			require.EqualValues(t, -1, sum)
		}),
		PeerEndsWithError: Survives(func(t *testing.T, ctx context.Context) {
			for _, values := range [][]int64{{1}, many} {
				_, err := call(ctx, Dial(t, Ends(unavailable)), values...)
				require.EqualError(t, err, unavailable.Error())
			}
			start := time.Now()
			_, err := call(ctx, Dial(t, Ends(unavailable), SlowSend()), many...)
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, 2*time.Second, time.Since(start), "the second Send fails, and is the last one")
		}),
		PeerDoesNotRead: Survives(func(t *testing.T, ctx context.Context) {
			EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := call(ctx, Dial(t, Idle()), many...)
				return err
			})
		}),
		PeerDoesNotSend: Survives(func(t *testing.T, ctx context.Context) {
			EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := call(ctx, Dial(t, Idle()), 1, 2, 3)
				return err
			})
		}),
		DeadlinePasses: Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{0, time.Second} {
				EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := call(ctx, Dial(t, Idle()), many...)
					return err
				})
			}
		}),
		ConnectionIsCut: Survives(func(t *testing.T, ctx context.Context) {
			client, network := DialFaulty(t, Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, err := call(ctx, client, many...)
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
		}),
		ServerIsAway: Survives(func(t *testing.T, ctx context.Context) {
			client, network := DialFaulty(t, &service.Server{})
			network.Refuse(1)
			_, err := call(ctx, client, 1, 2, 3)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: Survives(func(t *testing.T, ctx context.Context) {
			client := Dial(t, &service.Server{})
			InARow(func(int) {
				sum, err := call(ctx, client, 1, 2, 3)
				require.NoError(t, err)
				require.EqualValues(t, 6, sum)
			})
		}),
		ManyAtOnce: Survives(func(t *testing.T, ctx context.Context) {
			client := Dial(t, &service.Server{})
			for _, err := range AtOnce(func(int) error {
				_, err := call(ctx, client, 1, 2, 3)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}
}
