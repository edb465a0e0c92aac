package handlerreturnseof

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

func TestSurvival_OfFixedEcho(t *testing.T) {
	server := &service.Server{OnEcho: FixedEcho}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			stream, err := pitfalltest.Dial(t, server).Echo(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend(), "before the first number")
			values, err := service.Values(stream)
			require.NoError(t, err)
			require.Empty(t, values)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithCancel(ctx)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			for i := range int64(1000) {
				require.NoError(t, stream.Send(&pitfallsv1.Number{Value: i}))
				n, err := stream.Recv()
				require.NoError(t, err)
				require.Equal(t, i, n.GetValue())
			}
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			var returned error
			client := pitfalltest.Dial(t, &service.Server{
				OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
					returned = FixedEcho(stream)
					return returned
				},
			})
			ctx, cancel := context.WithCancel(ctx)
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			require.Equal(t, codes.Canceled, status.Code(returned), "interceptors see no success")
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			for range 2 { // the first answer uses up the quota, and the second one waits
				require.NoError(t, stream.Send(&pitfallsv1.Number{Padding: make([]byte, 1<<20)}))
			}
			require.NoError(t, stream.CloseSend())
			time.Sleep(time.Minute)
			require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
			time.Sleep(time.Hour)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := client.Echo(ctx)
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1}))
			start := time.Now()
			values, err := service.Values(stream)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1}, values)
			require.Equal(t, time.Minute, time.Since(start))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, server)
			stream, err := client.Echo(ctx)
			require.NoError(t, err)
			pitfalltest.Cut(network)
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, server.OpenStreams())
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			pitfalltest.InARow(func(int) {
				values, err := pitfalltest.Echo(ctx, client, 1, 2, 3)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, server)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := pitfalltest.Echo(ctx, client, 1, 2, 3)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}
