package streaminterceptor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
)

const refusal = "rpc error: code = Unauthenticated desc = authorization: must be a valid bearer token"

func TestSurvival_OfFixedServerOptions(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedServerOptions())
			require.EqualError(t, echo(ctx, client), refusal)
			require.NoError(t, echo(withToken(ctx), client))
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			stream, err := dial(t, FixedServerOptions()).Sum(ctx)
			require.NoError(t, err)
			for err == nil {
				err = stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)})
			}
			_, err = stream.CloseAndRecv()
			require.EqualError(t, err, refusal)
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Idle()
			client, _ := serveFixed(t, server)
			ctx, cancel := context.WithCancel(withToken(ctx))
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, int64(1), server.OpenStreams())
			cancel()
			synctest.Wait()
			require.Zero(t, server.OpenStreams())

			client, _ = serveFixed(t, pitfalltest.Ends(unavailable))
			require.EqualError(t, echo(withToken(t.Context()), client, 1), unavailable.Error(),
				"the status of the handler is passed on")
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := &service.Server{}
			client, _ := serveFixed(t, server)
			stream, err := client.Count(ctx, &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			synctest.Wait()
			require.Zero(t, server.OpenStreams(), "a refused call reaches no handler")
			_, err = stream.Recv()
			require.EqualError(t, err, refusal)
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, pitfalltest.Idle())
			start := time.Now()
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.EqualError(t, err, refusal)
			require.Zero(t, time.Since(start), "the check does not wait for a message")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Idle()
			client, _ := serveFixed(t, server)
			ctx, cancel := context.WithTimeout(withToken(ctx), time.Minute)
			defer cancel()
			start := time.Now()
			require.Equal(t, codes.DeadlineExceeded, status.Code(echo(ctx, client)))
			require.Equal(t, time.Minute, time.Since(start), "the interceptor does not end the stream")
			synctest.Wait()
			require.Zero(t, server.OpenStreams())
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			server := pitfalltest.Idle()
			client, network := serveFixed(t, server)
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			require.Equal(t, codes.Unavailable, status.Code(echo(withToken(ctx), client)))
			synctest.Wait()
			require.Zero(t, server.OpenStreams())
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedServerOptions())
			pitfalltest.InARow(func(int) {
				require.EqualError(t, echo(ctx, client, 1), refusal)
				require.NoError(t, echo(withToken(ctx), client, 1))
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedServerOptions())
			for _, err := range pitfalltest.AtOnce(func(int) error { return echo(withToken(ctx), client, 1) }) {
				require.NoError(t, err)
			}
			for _, err := range pitfalltest.AtOnce(func(int) error { return echo(ctx, client, 1) }) {
				require.EqualError(t, err, refusal)
			}
		}),
	}.Run(t)
}

// serveFixed returns a client of s with the options, and the network between them.
func serveFixed(t *testing.T, s *service.Server) (pitfallsv1.PitfallServiceClient, *faultnet.Network) {
	return pitfalltest.DialFaultyTo(t, pitfalltest.Serve(t, s, FixedServerOptions()...))
}

func withToken(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func echo(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	_, err := pitfalltest.Echo(ctx, c, values...)
	return err
}
