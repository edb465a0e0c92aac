package gracefulstop

import (
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

func TestBroken_ShutdownWaitsWhileAStreamTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, BrokenTicker())
		stream := count(t, client)

		pitfalltest.Go(shutdown).StillRuns(t, time.Hour)

		for range 3600 {
			_, err := stream.Recv()
			require.NoError(t, err, "the open stream goes on")
		}
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err), "a new call: got %v", err)
		require.ErrorContains(t, err, "Error while dialing: closed")
	})
}

func TestFixed_ShutdownReturnsAtOnceAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, FixedTicker())
		stream := count(t, client)

		start := time.Now()
		require.NoError(t, shutdown())

		require.Zero(t, time.Since(start))
		_, err := stream.Recv()
		require.EqualError(t, err, "rpc error: code = Unavailable desc = the server is stopping")
	})
}

// A handler that waits in Recv does not learn that the server stops.
func TestBroken_ShutdownWaitsForAHandlerInRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, BrokenTicker())
		_, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		pitfalltest.Go(shutdown).StillRuns(t, 24*time.Hour)
	})
}

func TestFixed_ShutdownEndsAHandlerInRecvAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, FixedTicker())
		stream, err := client.Echo(pitfalltest.WithTimeout(t, time.Minute))
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		start := time.Now()
		require.NoError(t, shutdown())

		require.Equal(t, drain, time.Since(start))
		_, err = stream.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "error reading from server: EOF")
	})
}

// Stop cancels the context of a handler, and GracefulStop waits for its return.
func TestBroken_ShutdownWaitsForWhoIgnoresAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, BrokenTicker())
		_, err := client.Sum(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		call := pitfalltest.Go(shutdown)
		call.StillRuns(t, 24*time.Hour-time.Second)
		require.NoError(t, call.EndsWithin(t, 2*time.Second))
	})
}

func TestFixed_ShutdownReportsWhoIgnoresAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, shutdown := serve(t, FixedTicker())
		_, err := client.Sum(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		start := time.Now()
		require.EqualError(t, shutdown(), "the server has not stopped a second after Stop")
		require.Equal(t, drain+time.Second, time.Since(start))
	})
}

// The client sends not even the first bytes of HTTP/2.
func TestFixed_ShutdownReportsASilentConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticker := FixedTicker()
		server := pitfalltest.Serve(t, &service.Server{OnCount: ticker.Count})
		_, err := server.DialContext(t.Context(), "")
		require.NoError(t, err)
		synctest.Wait() // the server has accepted the connection

		start := time.Now()
		require.EqualError(t, ticker.Shutdown(server.Server.Server), "the server has not stopped a second after Stop")
		require.Equal(t, drain+time.Second, time.Since(start))
	})
}

func TestBroken_ShutdownWaitsForASilentConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticker := BrokenTicker()
		server := pitfalltest.Serve(t, &service.Server{OnCount: ticker.Count})
		_, err := server.DialContext(t.Context(), "")
		require.NoError(t, err)
		synctest.Wait() // the server has accepted the connection

		start := time.Now()
		require.NoError(t, ticker.Shutdown(server.Server.Server))
		require.Equal(t, 2*time.Minute, time.Since(start), "the ConnectionTimeout of the server")
	})
}

// ignoreContext is a handler that takes a day and does not look at its context.
func ignoreContext(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	time.Sleep(24 * time.Hour)
	return nil
}

// serve returns a client of the ticker, and a function that shuts its server
// down.
func serve(t *testing.T, ticker ticker) (client pitfallsv1.PitfallServiceClient, shutdown func() error) {
	server := pitfalltest.Serve(t, &service.Server{OnCount: ticker.Count, OnSum: ignoreContext})
	shutdown = func() error { return ticker.Shutdown(server.Server.Server) }
	return pitfallsv1.NewPitfallServiceClient(server.Dial(t)), shutdown
}

// count opens a stream and receives its first number.
func count(
	t *testing.T, client pitfallsv1.PitfallServiceClient,
) grpc.ServerStreamingClient[pitfallsv1.Number] {
	stream, err := client.Count(pitfalltest.WithTimeout(t, 2*time.Hour), &pitfallsv1.CountRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	return stream
}
