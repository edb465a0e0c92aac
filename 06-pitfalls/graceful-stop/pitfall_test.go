package gracefulstop

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

func TestBrokenShutdownStillWaitsAfterAnHourWhileTheStreamTicksOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, BrokenTicker)
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		call := lab.Go(func() error { ticker.Shutdown(server.Server.Server); return nil })

		call.StillRuns(t, time.Hour)

		_, err = stream.Recv()
		require.NoError(t, err)
		_, err = client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
	})
}

func TestFixedShutdownReturnsAtOnceAndTheStreamHasAStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, FixedTicker)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stream, err := client.Count(ctx, &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)

		start := time.Now()
		ticker.Shutdown(server.Server.Server)

		require.Zero(t, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, "the server is stopping", status.Convert(err).Message())
	})
}

// A handler that waits in Recv hears no one.
func TestBrokenShutdownWaitsForAnIdleHandlerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, BrokenTicker)
		_, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, lab.OpenStreams(t, client))

		call := lab.Go(func() error { ticker.Shutdown(server.Server.Server); return nil })

		call.StillRuns(t, 24*time.Hour)
	})
}

func TestFixedShutdownCutsAnIdleHandlerWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, FixedTicker)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stream, err := client.Echo(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, lab.OpenStreams(t, client))

		start := time.Now()
		ticker.Shutdown(server.Server.Server)

		require.Equal(t, drain, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "error reading from server: EOF")
	})
}

func serve(t *testing.T, newTicker func() ticker) (bufnet.Server, pitfallsv1.PitfallServiceClient, ticker) {
	ticker := newTicker()
	server := bufnet.Serve(t, lab.Register(&service.Server{OnCount: ticker.Count}))
	return server, pitfallsv1.NewPitfallServiceClient(server.Dial(t)), ticker
}
