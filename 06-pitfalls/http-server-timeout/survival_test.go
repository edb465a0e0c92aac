package httpservertimeout

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
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
)

func TestSurvival_OfFixedServer(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			stream, err := dial(t, FixedServer, &service.Server{}).Sum(ctx)
			require.NoError(t, err)
			response, err := stream.CloseAndRecv()
			require.NoError(t, err)
			require.Zero(t, response.GetCount())
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			stream, err := dial(t, FixedServer, &service.Server{}).Sum(ctx)
			require.NoError(t, err)
			for range 1000 {
				require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
				time.Sleep(time.Minute)
			}
			cancel()
			_, err = stream.CloseAndRecv()
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := count(ctx, dial(t, FixedServer, pitfalltest.Ends(nil)), 1)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refused := status.Error(codes.FailedPrecondition, "not today")
			_, err := count(ctx, dial(t, FixedServer, pitfalltest.Ends(refused)), 1)
			require.EqualError(t, err, refused.Error())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			s := &service.Server{}
			stream, err := dial(t, FixedServer, s).Count(ctx, &pitfallsv1.CountRequest{Padding: 1000})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.EqualValues(t, 1, s.OpenStreams(), "only flow control stops the handler")
			cancel()
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(24*time.Hour, cancel)
			start := time.Now()
			_, err := count(ctx, dial(t, FixedServer, pitfalltest.Idle()), 1)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Equal(t, 24*time.Hour, time.Since(start), "only the client ends the stream")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 11*time.Second)
			defer cancel()
			values, err := count(ctx, dial(t, FixedServer, ticking), 5)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1, 2, 3}, values)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			g, s := grpc.NewServer(), pitfalltest.Idle()
			s.Register(g)
			server := memservertest.ServeHTTP(t, FixedServer(g))
			network := faultnet.New(server.DialContext)
			conn := server.Dial(t, grpc.WithContextDialer(network.DialContext))
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			_, err := count(ctx, pitfallsv1.NewPitfallServiceClient(conn), 1)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		ServerIsAway: pitfalltest.NotApplicable("this is the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedServer, ticking)
			pitfalltest.InARow(func(int) {
				_, err := count(ctx, client, 5)
				require.NoError(t, err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedServer, ticking)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := count(ctx, client, 5)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}
