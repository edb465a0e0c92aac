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

func TestBroken_StreamTooManyWaitsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := open(ctx, p, 1)
		require.NoError(t, err)
		_, err = open(t.Context(), p, limit-1)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error { _, err := open(t.Context(), p, 1); return err })

		call.StillRuns(t, 24*time.Hour)
		cancel() // ends one of the open streams
		require.NoError(t, call.Err())
	})
}

func TestBroken_UnaryCallWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		_, err := open(t.Context(), p, limit)
		require.NoError(t, err)

		require.EqualError(t, ping(t, p.conn), "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
	})
}

func TestFixed_HasRoomForUnaryCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &FixedPool{dial: dialTo(t)}
		for range limit {
			_, err := open(t.Context(), p, 1)
			require.NoError(t, err)
			require.NoError(t, ping(t, p.conn))
		}
	})
}

func TestFixed_OpensOneMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()

		got, err := open(ctx, &FixedPool{dial: dialTo(t)}, limit+1)

		require.NoError(t, err)
		require.Len(t, got, limit+1)
		require.Zero(t, time.Since(start))
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
	server := pitfalltest.Serve(t, followed, grpc.MaxConcurrentStreams(limit))
	return func() (*grpc.ClientConn, error) { return server.Dial(t), nil }
}

type (
	pool interface {
		Open(context.Context) (stream, error)
	}
	stream = grpc.ServerStreamingClient[pitfallsv1.Number]
)

// open opens n streams and waits for the first number of each.
func open(ctx context.Context, p pool, n int) ([]stream, error) {
	var streams []stream
	for range n {
		s, err := p.Open(ctx)
		if err != nil {
			return streams, err
		}
		if _, err := s.Recv(); err != nil {
			return streams, err
		}
		streams = append(streams, s)
	}
	return streams, nil
}

// followed is a server whose Count sends one number and then keeps the stream
// open.
var followed = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}}
