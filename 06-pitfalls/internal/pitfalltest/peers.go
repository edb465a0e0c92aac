package pitfalltest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
)

// Ends is a server whose handlers exchange one message and then return err.
func Ends(err error) *service.Server {
	return &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			if failed := stream.Send(&pitfallsv1.Number{Value: 1}); failed != nil {
				return failed
			}
			return err
		},
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			n, failed := stream.Recv()
			if failed != nil {
				return failed
			}
			if err != nil {
				return err
			}
			return stream.SendAndClose(&pitfallsv1.SumResponse{Sum: n.GetValue(), Count: 1})
		},
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			n, failed := stream.Recv()
			if failed != nil {
				return failed
			}
			if failed := stream.Send(n); failed != nil {
				return failed
			}
			return err
		},
	}
}

// Idle is a server whose handlers neither read nor send until their client
// has left.
func Idle() *service.Server {
	wait := func(stream grpc.ServerStream) error {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	return &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return wait(stream)
		},
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			return wait(stream)
		},
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			return wait(stream)
		},
	}
}

// DialFaulty serves s in memory until the test ends, and returns a client
// of it whose connections fail when the test tells the network to. The client
// connects with its first call.
func DialFaulty(
	t testing.TB, s *service.Server, opts ...grpc.DialOption,
) (c pitfallsv1.PitfallServiceClient, n *faultnet.Network) {
	t.Helper()
	return DialFaultyTo(t, Serve(t, s), opts...)
}

// DialFaultyTo is [DialFaulty] for a server that is served already.
func DialFaultyTo(
	t testing.TB, server memservertest.Server, opts ...grpc.DialOption,
) (c pitfallsv1.PitfallServiceClient, n *faultnet.Network) {
	t.Helper()
	n = faultnet.New(server.DialContext)
	opts = append([]grpc.DialOption{grpc.WithContextDialer(n.DialContext)}, opts...)
	return pitfallsv1.NewPitfallServiceClient(server.Dial(t, opts...)), n
}

// Cut waits until all other goroutines of the bubble are blocked, and then
// closes the connection at both ends.
func Cut(n *faultnet.Network) {
	synctest.Wait()
	n.Conn().Drop()
}

// RetryOnce returns an option with which a client makes a second attempt if the
// first one ends with Unavailable before the first headers.
func RetryOnce() grpc.DialOption {
	return grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {
		"maxAttempts": 2, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]}}]}`)
}

// SlowSend returns an option with which each Send of a client returns a second
// later.
func SlowSend() grpc.DialOption {
	return grpc.WithStreamInterceptor(func(
		ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
		open grpc.Streamer, opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		stream, err := open(ctx, desc, cc, method, opts...)
		return slowStream{stream}, err
	})
}

type slowStream struct{ grpc.ClientStream }

func (s slowStream) SendMsg(m any) error {
	defer time.Sleep(time.Second)
	return s.ClientStream.SendMsg(m)
}

// Canceled returns a context that is canceled already.
func Canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// EndsAt requires that f ends when its context does, after limit.
func EndsAt(t *testing.T, ctx context.Context, limit time.Duration, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
	require.Equal(t, limit, time.Since(start))
}

// Count returns the numbers that arrive until the stream ends.
func Count(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) ([]int64, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}

// Echo sends the values, closes its half of the stream, and returns the
// numbers that arrive until the stream ends.
func Echo(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		_ = stream.Send(&pitfallsv1.Number{Value: v}) // Recv returns the status
	}
	_ = stream.CloseSend() // always nil
	return service.Values(stream)
}

// Many is how many calls [InARow] and [AtOnce] make.
const Many = 100

// InARow calls f Many times.
func InARow(f func(i int)) {
	for i := range Many {
		f(i)
	}
}

// AtOnce calls f Many times, each in a goroutine of its own, and returns
// their errors.
func AtOnce(f func(i int) error) (errs []error) {
	ended := make(chan error, Many)
	for i := range Many {
		go func() { ended <- f(i) }()
	}
	for range Many {
		errs = append(errs, <-ended)
	}
	return errs
}
