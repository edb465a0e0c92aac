package noreconnect

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_GetsNothingMoreFromTheRestartedServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := 0
		client, restart := serve(t, countFailures(&failed))
		var got []int64
		call := pitfalltest.Go(func() error {
			return BrokenFollow(t.Context(), client, func(n int64) { got = append(got, n) })
		})
		call.StillRuns(t, 250*time.Millisecond)
		restart()

		call.StillRuns(t, time.Hour-500*time.Millisecond)

		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 60*60, failed, "each Recv has failed, one per second")
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err, "the client has connected again")
	})
}

func TestFixed_ContinuesWithANewStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, restart := serve(t)
		var got []int64
		call := pitfalltest.Go(func() error {
			return FixedFollow(t.Context(), client, func(n int64) { got = append(got, n) })
		})
		call.StillRuns(t, 250*time.Millisecond)
		restart()

		call.StillRuns(t, 1200*time.Millisecond)

		require.Equal(t, []int64{1, 2, 3, 1, 2, 3}, got)
	})
}

func TestRecv_ReturnsTheErrorOfAnEndedStreamAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, restart := serve(t)
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		restart()

		for range 3 {
			start := time.Now()
			_, err = stream.Recv()
			require.EqualError(t, err, "rpc error: code = Unavailable desc = error reading from server: EOF")
			require.Zero(t, time.Since(start))
			time.Sleep(time.Hour)
		}
	})
}

// grpc-go pauses between two attempts to connect: by default, up to 2 minutes,
// plus or minus 20 %. Here the server is back after the last attempt that fails.
func TestPing_FailsUntilTheClientConnectsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, ticking)
		attempts, back := 0, time.Time{}
		conn := server.Dial(t, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			if attempts++; attempts <= 15 {
				back = time.Now()
				return nil, errors.New("connection refused")
			}
			return server.DialContext(ctx, addr)
		}))
		client := pitfallsv1.NewPitfallServiceClient(conn)
		var err error
		for ok := false; !ok; ok = err == nil {
			time.Sleep(time.Second)
			_, err = client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		}
		require.InDelta(t, 120, time.Since(back).Seconds(), 25)
	})
}

// serve returns a client of a server, and a function that replaces the server
// by another, as a restart does.
func serve(
	t *testing.T, opts ...grpc.DialOption,
) (client pitfallsv1.PitfallServiceClient, restart func()) {
	before := pitfalltest.Serve(t, ticking)
	after := pitfalltest.Serve(t, ticking)
	dial := func(ctx context.Context, addr string) (net.Conn, error) {
		if conn, err := before.DialContext(ctx, addr); err == nil {
			return conn, nil
		}
		return after.DialContext(ctx, addr)
	}
	conn := before.Dial(t, append(opts, grpc.WithContextDialer(dial))...)
	return pitfallsv1.NewPitfallServiceClient(conn), before.Stop
}

// countFailures counts the calls of Recv that fail.
func countFailures(n *int) grpc.DialOption {
	return grpc.WithStreamInterceptor(func(
		ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
		open grpc.Streamer, opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		stream, err := open(ctx, desc, cc, method, opts...)
		return failures{stream, n}, err
	})
}

type failures struct {
	grpc.ClientStream
	n *int
}

func (f failures) RecvMsg(m any) error {
	err := f.ClientStream.RecvMsg(m)
	if err != nil {
		*f.n++
	}
	return err
}

// ticking is a service whose Count sends ten numbers per second.
var ticking = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := int64(1); ; i++ {
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}}
