package gracefulstop

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestBroken_ShutdownWaitsWhileAStreamTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, BrokenTicker)
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		call := pitfalltest.Go(func() error { ticker.Shutdown(server.Server.Server); return nil })

		call.StillRuns(t, time.Hour)

		_, err = stream.Recv()
		require.NoError(t, err, "the open stream goes on")
		_, err = client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err), "a new call: got %v", err)
	})
}

func TestFixed_ShutdownReturnsAtOnceAndSaysWhy(t *testing.T) {
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

// A handler that waits in Recv does not learn that the server stops.
func TestBroken_ShutdownWaitsForAHandlerInRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, BrokenTicker)
		_, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		call := pitfalltest.Go(func() error { ticker.Shutdown(server.Server.Server); return nil })

		call.StillRuns(t, 24*time.Hour)
	})
}

func TestFixed_ShutdownEndsAHandlerInRecvAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, ticker := serve(t, FixedTicker)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stream, err := client.Echo(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		start := time.Now()
		ticker.Shutdown(server.Server.Server)

		require.Equal(t, drain, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "error reading from server: EOF")
	})
}

func serve(t *testing.T, newTicker func() ticker) (memservertest.Server, pitfallsv1.PitfallServiceClient, ticker) {
	ticker := newTicker()
	server := pitfalltest.Serve(t, &service.Server{OnCount: ticker.Count})
	return server, pitfallsv1.NewPitfallServiceClient(server.Dial(t)), ticker
}
