package streamquota

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// limit is the number of streams that the server allows on a connection.
const limit = 10

func TestBroken_OneStreamTooManyWaitsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		for range limit - 1 {
			_, err := p.Open(t.Context())
			require.NoError(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		last, err := p.Open(ctx)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error { _, err := p.Open(t.Context()); return err })

		call.StillRuns(t, 24*time.Hour)
		require.NoError(t, last.Send(&pitfallsv1.Number{}))
		_, err = last.Recv()
		require.NoError(t, err, "the open streams go on")
		cancel() // ends the last of the open streams
		require.NoError(t, call.Err())
	})
}

func TestBroken_UnaryCallWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		for range limit {
			_, err := p.Open(t.Context())
			require.NoError(t, err)
		}

		err := ping(t, p.conn)
		require.EqualError(t, err, "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
	})
}

func TestFixed_OpensOneMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &FixedPool{dial: dialTo(t)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()

		for range limit + 1 {
			_, err := p.Open(ctx)
			require.NoError(t, err)
			require.NoError(t, ping(t, p.conn), "there is room for a unary call")
		}

		require.Zero(t, time.Since(start))
		client := pitfallsv1.NewPitfallServiceClient(p.conn)
		require.Equal(t, limit+1, pitfalltest.OpenStreams(t, client))
	})
}

// ping makes a unary call with a deadline of one minute.
func ping(t *testing.T, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(ctx, &pitfallsv1.PingRequest{})
	return err
}

// dialTo returns a function that opens a connection to a server with the limit.
func dialTo(t *testing.T) func() (*grpc.ClientConn, error) {
	server := pitfalltest.Serve(t, &service.Server{}, grpc.MaxConcurrentStreams(limit))
	return func() (*grpc.ClientConn, error) { return server.Dial(t), nil }
}
