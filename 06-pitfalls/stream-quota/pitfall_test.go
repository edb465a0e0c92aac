package streamquota

import (
	"context"
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

func TestBrokenPoolStillWaitsAfterADayForOneStreamTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := open(ctx, p, 1)
		require.NoError(t, err)
		_, err = open(t.Context(), p, quota-1)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error { _, err := open(t.Context(), p, 1); return err })

		call.StillRuns(t, 24*time.Hour)
		cancel() // which ends another
		require.NoError(t, call.Err())
	})
}

func TestBrokenPoolKeepsUnaryCallsWaitingToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		_, err := open(t.Context(), p, quota)
		require.NoError(t, err)

		require.Equal(t, codes.DeadlineExceeded, ping(t, p.conn))
	})
}

func TestFixedPoolHasRoomForUnaryCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &FixedPool{dial: dialTo(t)}
		for range quota {
			_, err := open(t.Context(), p, 1)
			require.NoError(t, err)
			require.Equal(t, codes.OK, ping(t, p.conn))
		}
	})
}

func TestFixedPoolOpensOneMoreOnAnotherConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()

		got, err := open(ctx, &FixedPool{dial: dialTo(t)}, quota+1)

		require.NoError(t, err)
		require.Len(t, got, quota+1)
		require.Zero(t, time.Since(start))
	})
}

func ping(t *testing.T, conn *grpc.ClientConn) codes.Code {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(ctx, &pitfallsv1.PingRequest{})
	return status.Code(err)
}

func dialTo(t *testing.T) dialer {
	server := pitfalltest.Serve(t, followed, grpc.MaxConcurrentStreams(quota))
	return func() (*grpc.ClientConn, error) { return server.Dial(t), nil }
}

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

// followed is a service whose Count sends a number and stays.
var followed = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}}
