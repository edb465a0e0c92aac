package bubble

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver"
)

// The tests whose names begin with TestRed_ fail on purpose. Run one of
// them with RED=1.

func TestRed_TooEarly(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		server := &Server{}
		_, err := dial(t, server).Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		require.Equal(t, 1, server.Running(), "handlers")
	})
}

func TestRed_Socket(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		server := grpc.NewServer()
		pitfallsv1.RegisterPitfallServiceServer(server, &Server{})
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		conn, err := grpc.NewClient("passthrough:///"+listener.Addr().String(),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()

		client := pitfallsv1.NewPitfallServiceClient(conn)
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
	})
}

func TestRed_Leak(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		stream, err := dial(t, &Server{}).Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		numbers := make(chan int64)
		go func() {
			for {
				n, err := stream.Recv()
				if err != nil {
					return
				}
				numbers <- n.GetValue()
			}
		}()
		require.EqualValues(t, 1, <-numbers)
		time.Sleep(time.Minute) // more numbers arrive
	})
}

// A relay sends the values that it is given.
type relay struct {
	pitfallsv1.UnimplementedPitfallServiceServer
	values chan int64
}

func (r *relay) Count(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	for v := range r.values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			return err
		}
	}
	return nil
}

func TestRed_StuckHandler(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		r := &relay{values: make(chan int64)}
		stream, err := dial(t, r).Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		r.values <- 7
		n, err := stream.Recv()
		require.NoError(t, err)
		require.EqualValues(t, 7, n.GetValue())
	})
}

// echo sends the values, and returns what the server sends back.
func echo(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // Recv returns the status
		}
	}
	var got []int64
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, n.GetValue())
	}
}

func TestRed_Year2262(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		connect := func() (*grpc.ClientConn, func(), error) { return memserver.Dial(register(&Server{})) }
		if os.Getenv("RED") == "fast" {
			connect = dialWithoutTimers
		}
		conn, stop, err := connect()
		require.NoError(t, err)
		defer stop()
		defer func(start time.Time) { t.Logf("took %v", time.Since(start)) }(time.Now())

		got, err := echo(t.Context(), pitfallsv1.NewPitfallServiceClient(conn), 1, 2, 3)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

// dialWithoutTimers is [memserver.Dial] without the two timers of grpc-go that
// fire again and again while a call waits, so that the clock needs few steps
// to the year 2262 and not millions.
func dialWithoutTimers() (conn *grpc.ClientConn, stop func(), err error) {
	s := memserver.Serve(register(&Server{}), grpc.KeepaliveParams(keepalive.ServerParameters{Time: 1 << 62}))
	conn, err = s.NewClient(grpc.WithIdleTimeout(0))
	return conn, func() { _ = conn.Close(); _ = s.Close() }, err
}

func TestRed_Limit(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		got, err := echo(t.Context(), dial(t, &Server{}), 1, 2, 3)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 3}, got)
	})
}

// A turnstile lets one Count pass at a time.
type turnstile struct {
	Server
	mu sync.Mutex
}

func (s *turnstile) Count(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Server.Count(req, stream)
}

func TestRed_Mutex(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &turnstile{})
		first, err := client.Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		_, err = client.Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
		require.NoError(t, err)
		_, err = first.Recv()
		require.NoError(t, err)
	})
}
