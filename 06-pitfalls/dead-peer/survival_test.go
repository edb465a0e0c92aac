package deadpeer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
)

// The calls have FixedServerOptions on one side and FixedDialOptions on the
// other.
func TestSurvival_OfFixedOptions(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	const notices = "keepalive ping failed to receive ACK within timeout"
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("options have no input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, new(service.Server))
			stream, err := client.Sum(ctx)
			require.NoError(t, err)
			for range 3600 { // the server sends nothing meanwhile
				time.Sleep(time.Second)
				require.NoError(t, stream.Send(&pitfallsv1.Number{}))
			}
			response, err := stream.CloseAndRecv()
			require.NoError(t, err)
			require.EqualValues(t, 3600, response.GetCount())
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, pitfalltest.Ends(nil))
			stream, err := openEcho(ctx, client)
			require.NoError(t, err)
			_, err = service.Values(stream)
			require.NoError(t, err)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, pitfalltest.Ends(unavailable))
			stream, err := openEcho(ctx, client)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, new(service.Server))
			stream, err := client.Count(ctx, &pitfallsv1.CountRequest{To: 100, Padding: 10 << 10})
			require.NoError(t, err)
			time.Sleep(24 * time.Hour) // the handler waits in Send
			values, err := service.Values(stream)
			require.NoError(t, err)
			require.Len(t, values, 100)
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, new(service.Server))
			stream, err := openEcho(ctx, client)
			require.NoError(t, err)
			call := recv(stream)
			call.StillRuns(t, 24*time.Hour)
			require.NoError(t, stream.CloseSend())
			require.EqualError(t, call.EndsWithin(t, time.Nanosecond), "EOF")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := serveFixed(t, new(service.Server))
			ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			stream, err := openEcho(ctx, client)
			require.NoError(t, err)
			network.Conn().HalfOpen()
			err = recv(stream).EndsWithin(t, 30*time.Second+time.Nanosecond)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			time.Sleep(time.Minute) // the server notices later
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := serveFixed(t, new(service.Server))
			stream, err := openEcho(ctx, client)
			require.NoError(t, err)
			call := recv(stream)
			pitfalltest.Cut(network)
			err = call.EndsWithin(t, time.Nanosecond)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)

			stream, err = openEcho(ctx, client)
			require.NoError(t, err, "on a new connection")
			network.Conn().HalfOpen()
			err = recv(stream).EndsWithin(t, 70*time.Second+time.Nanosecond)
			require.ErrorContains(t, err, notices)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := serveFixed(t, new(service.Server))
			network.Refuse(1)
			_, err := openEcho(ctx, client)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serveFixed(t, new(service.Server))
			pitfalltest.InARow(func(int) {
				stream, err := openEcho(ctx, client)
				require.NoError(t, err)
				require.NoError(t, stream.CloseSend())
				time.Sleep(time.Minute)
				_, err = service.Values(stream)
				require.NoError(t, err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := serveFixed(t, new(service.Server))
			time.AfterFunc(30*time.Second, func() { network.Conn().HalfOpen() })
			start := time.Now()
			for _, err := range pitfalltest.AtOnce(func(int) error {
				stream, err := openEcho(ctx, client)
				if err != nil {
					return err
				}
				_, err = stream.Recv()
				return err
			}) {
				require.ErrorContains(t, err, notices)
			}
			require.Equal(t, 70*time.Second, time.Since(start))
		}),
	}.Run(t)
}

// serveFixed returns a client of s. Both sides have the fixed options for a
// minute.
func serveFixed(t *testing.T, s *service.Server) (pitfallsv1.PitfallServiceClient, *faultnet.Network) {
	server := pitfalltest.Serve(t, s, FixedServerOptions(time.Minute)...)
	return pitfalltest.DialFaultyTo(t, server, FixedDialOptions(time.Minute)...)
}
