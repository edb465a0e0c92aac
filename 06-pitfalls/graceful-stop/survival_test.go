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
	"example.com/streams/internal/faultnet"
)

func TestSurvival_OfFixedTicker(t *testing.T) {
	request := &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("a time.Ticker does not close its channel"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			stream, err := client.Count(ctx, request)
			require.NoError(t, err)
			for i := range int64(1000) {
				n, err := stream.Recv()
				require.NoError(t, err)
				require.Equal(t, i+1, n.GetValue())
			}
			require.Zero(t, shutdown())
			_, err = stream.Recv()
			require.EqualError(t, err, "rpc error: code = Unavailable desc = the server is stopping")
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			ctx, cancel := context.WithCancel(ctx)
			_, err := client.Count(ctx, request)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client), "before the next tick")
			require.Zero(t, shutdown())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			for range 2 { // the first answer uses up the quota, and the second one waits
				require.NoError(t, stream.Send(&pitfallsv1.Number{Padding: make([]byte, 1<<20)}))
			}
			synctest.Wait()
			require.Equal(t, drain, shutdown())
			_, err = service.Values(stream)
			require.ErrorContains(t, err, "error reading from server: EOF")
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			require.Equal(t, drain, shutdown())
			_, err = stream.Recv()
			require.ErrorContains(t, err, "error reading from server: EOF")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			ctx, cancel := context.WithTimeout(ctx, drain/2)
			defer cancel()
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			require.Equal(t, drain/2, shutdown(), "the deadline passes during the drain")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, network := serveFixed(t)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			time.AfterFunc(drain/2, func() { network.Conn().Drop() })
			require.Equal(t, drain/2, shutdown(), "the cut comes during the drain")
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.InARow(func(int) {
				client, shutdown, _ := serveFixed(t)
				stream, err := client.Count(ctx, request)
				require.NoError(t, err)
				_, err = stream.Recv()
				require.NoError(t, err)
				require.Zero(t, shutdown())
				_, err = stream.Recv()
				require.ErrorContains(t, err, "the server is stopping")
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, shutdown, _ := serveFixed(t)
			time.AfterFunc(2500*time.Millisecond, func() { shutdown() })
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := pitfalltest.Count(ctx, client, request)
				return err
			}) {
				require.EqualError(t, err, "rpc error: code = Unavailable desc = the server is stopping")
			}
		}),
	}.Run(t)
}

// serveFixed returns a client of FixedTicker, and a function that shuts its
// server down and returns how long that took.
func serveFixed(t *testing.T) (
	client pitfallsv1.PitfallServiceClient, shutdown func() time.Duration, n *faultnet.Network,
) {
	ticker := FixedTicker()
	server := pitfalltest.Serve(t, &service.Server{OnCount: ticker.Count})
	client, n = pitfalltest.DialFaultyTo(t, server)
	return client, func() time.Duration {
		start := time.Now()
		require.NoError(t, ticker.Shutdown(server.Server.Server))
		return time.Since(start)
	}, n
}
