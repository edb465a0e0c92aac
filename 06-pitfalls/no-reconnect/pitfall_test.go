package noreconnect

import (
	"context"
	"net"
	"sync/atomic"
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
	"example.com/streams/internal/memserver"
)

func TestBroken_GetsNothingMoreFromTheRestartedServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, BrokenFollow)

		f.call.StillRuns(t, time.Hour)

		require.Equal(t, []int64{1, 2, 3}, f.got)
		_, err := f.client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err, "the client has connected again")
	})
}

func TestFixed_ContinuesWithANewStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, FixedFollow)

		f.call.StillRuns(t, 1200*time.Millisecond)

		require.Equal(t, []int64{1, 2, 3, 1, 2, 3}, f.got)
	})
}

func TestRecv_ReturnsTheErrorOfAnEndedStreamAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, r := serve(t)
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		r.Restart()

		for range 3 {
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, "error reading from server: EOF", status.Convert(err).Message())
			time.Sleep(time.Hour)
		}
	})
}

type follower struct {
	client pitfallsv1.PitfallServiceClient
	call   *pitfalltest.Call
	got    []int64
}

// start returns a follower whose server restarts after three numbers.
func start(
	t *testing.T,
	follow func(context.Context, pitfallsv1.PitfallServiceClient, func(int64)) error,
) *follower {
	client, r := serve(t)
	f := &follower{client: client}
	f.call = pitfalltest.Go(func() error {
		return follow(t.Context(), client, func(n int64) { f.got = append(f.got, n) })
	})
	f.call.StillRuns(t, 250*time.Millisecond)
	r.Restart()
	return f
}

func serve(t *testing.T) (pitfallsv1.PitfallServiceClient, *restart) {
	before := pitfalltest.Serve(t, ticking)
	after := pitfalltest.Serve(t, ticking)
	r := &restart{before: before.Server, after: after.Server}
	conn := before.Dial(t, grpc.WithContextDialer(r.DialContext))
	return pitfallsv1.NewPitfallServiceClient(conn), r
}

// A restart replaces a server by another.
type restart struct {
	before, after *memserver.Server
	restarted     atomic.Bool
}

// Restart stops the first server, which closes all its connections.
func (r *restart) Restart() {
	r.restarted.Store(true)
	r.before.Stop()
}

// DialContext connects to the server that runs.
func (r *restart) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	if r.restarted.Load() {
		return r.after.DialContext(ctx, addr)
	}
	return r.before.DialContext(ctx, addr)
}

// ticking is a service whose Count sends ten numbers per second.
var ticking = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := int64(1); stream.Context().Err() == nil; i++ {
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return stream.Context().Err()
}}
