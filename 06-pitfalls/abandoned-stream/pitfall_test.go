package abandonedstream

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// places are where the handlers of servers wait.
var places = map[string]string{
	"handler in Send":    "transport.(*writeQuota).get(",
	"handler that waits": "abandoned-stream.sendOneAndWait(",
}

// servers are servers whose handlers return only when the call ends.
var servers = map[string]*service.Server{
	"handler in Send":    {},
	"handler that waits": {OnCount: sendOneAndWait},
}

func sendOneAndWait(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	if err := stream.Send(&pitfallsv1.Number{Value: 3}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func TestBroken_FindLeavesTheHandler(t *testing.T) {
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, server)
				ctx, cancel := context.WithCancel(t.Context())
				for range 2 {
					n, err := BrokenFind(ctx, client, &pitfallsv1.CountRequest{}, 3)
					require.NoError(t, err)
					require.Equal(t, int64(3), n)
				}

				time.Sleep(24 * time.Hour)
				runtime.GC()
				require.Equal(t, 2, pitfalltest.OpenStreams(t, client), "handlers after a day")
				require.Equal(t, 2, goroutines(places[name]), "in "+places[name])
				require.Equal(t, 2, goroutinesOfTheClient())

				cancel()
				require.Zero(t, pitfalltest.OpenStreams(t, client), "handlers after the caller's cancel")
			})
		})
	}
}

func TestFixed_FindEndsTheHandler(t *testing.T) {
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, server)
				n, err := FixedFind(t.Context(), client, &pitfallsv1.CountRequest{}, 3)
				require.NoError(t, err)
				require.Equal(t, int64(3), n)
				require.Zero(t, pitfalltest.OpenStreams(t, client))
			})
		})
	}
}

// The handler of a short stream has sent all its numbers, and returns.
func TestFind_LeavesNoHandlerOfAShortStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		_, err := BrokenFind(t.Context(), client, &pitfallsv1.CountRequest{To: 5}, 3)
		require.NoError(t, err)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
		time.Sleep(24 * time.Hour)
		require.Equal(t, 1, goroutinesOfTheClient(), "after a day")
	})
}

// goroutinesOfTheClient counts the goroutines that grpc-go keeps for streams.
func goroutinesOfTheClient() int {
	return goroutines("google.golang.org/grpc.newClientStreamWithParams.func")
}

// goroutines counts how often function is in the stacks of all goroutines.
func goroutines(function string) int {
	return strings.Count(strings.Join(memservertest.Goroutines(), "\n\n"), function)
}

// What the client must do, each without the other two.
func TestClient_EndsAStreamInThreeWays(t *testing.T) {
	for name, end := range map[string]func(
		cancel func(), conn *grpc.ClientConn, stream grpc.ServerStreamingClient[pitfallsv1.Number],
	){
		"cancel": func(cancel func(), _ *grpc.ClientConn, _ grpc.ServerStreamingClient[pitfallsv1.Number]) { cancel() },
		"close": func(_ func(), conn *grpc.ClientConn, _ grpc.ServerStreamingClient[pitfallsv1.Number]) {
			_ = conn.Close()
		},
		"Recv": func(_ func(), _ *grpc.ClientConn, stream grpc.ServerStreamingClient[pitfallsv1.Number]) {
			_, _ = service.Values(stream)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, err := pitfalltest.Serve(t, &service.Server{}).NewClient()
				require.NoError(t, err)
				defer conn.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stream, err := pitfallsv1.NewPitfallServiceClient(conn).Count(ctx, &pitfallsv1.CountRequest{To: 3})
				require.NoError(t, err)
				synctest.Wait()
				require.Equal(t, 1, goroutinesOfTheClient())

				end(cancel, conn, stream)
				synctest.Wait()
				require.Zero(t, goroutinesOfTheClient())
			})
		})
	}
}

func TestPing_WaitsForAnAbandonedStreamAtTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{}, grpc.MaxConcurrentStreams(1))
		client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
		// The client learns the quota from the server's SETTINGS.
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err)
		_, err = BrokenFind(t.Context(), client, &pitfallsv1.CountRequest{}, 3)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error {
			_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
			return err
		})
		call.StillRuns(t, 24*time.Hour)
	})
}
