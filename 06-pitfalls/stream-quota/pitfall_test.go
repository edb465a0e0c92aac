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

	"example.com/streams/06-pitfalls/internal/lab"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

func TestBrokenPoolStillWaitsAfterADayForOneStreamTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &BrokenPool{dial: dialTo(t)}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := open(ctx, p, 1)
		require.NoError(t, err)
		_, err = open(t.Context(), p, quota-1)
		require.NoError(t, err)

		call := lab.Go(func() error { _, err := open(t.Context(), p, 1); return err })

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
	server := bufnet.Serve(t, lab.Register(followed), grpc.MaxConcurrentStreams(quota))
	return func() (*grpc.ClientConn, error) { return server.Dial(t), nil }
}
