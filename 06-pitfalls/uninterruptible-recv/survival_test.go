package uninterruptiblerecv

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
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			stream := echoOne(ctx, t, dial(t, FixedEcho))
			require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 2}))
			require.NoError(t, stream.CloseSend())
			values, err := service.Values(stream)
			require.NoError(t, err)
			require.Equal(t, []int64{2}, values, "what arrived before the half-close is echoed")
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			start := time.Now()
			stream := echoOne(ctx, t, dial(t, FixedEcho))
			go func() {
				for stream.Send(&pitfallsv1.Number{}) == nil {
					time.Sleep(100 * time.Millisecond)
				}
			}()
			_, err := service.Values(stream)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, limit, time.Since(start))
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			client := dial(t, FixedEcho)
			echoOne(ctx, t, client)
			cancel()
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedEcho)
			stream := echoOne(ctx, t, client)
			go func() {
				for stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)}) == nil {
				}
			}()
			time.Sleep(limit)
			require.Zero(t, pitfalltest.OpenStreams(t, client), "the handler has returned, although its client has not read")
			_, err := service.Values(stream)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			start := time.Now()
			stream, err := dial(t, FixedEcho).Echo(ctx)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, limit, time.Since(start))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedEcho)
			start := time.Now()
			ctx, cancel := context.WithTimeout(ctx, limit/2) // the client's deadline is earlier
			defer cancel()
			stream := echoOne(ctx, t, client)
			_, err := stream.Recv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, limit/2, time.Since(start))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, echoing(FixedEcho))
			stream := echoOne(ctx, t, client)
			pitfalltest.Cut(network)
			_, err := stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedEcho)
			pitfalltest.InARow(func(int) {
				stream := echoOne(ctx, t, client)
				_, err := stream.Recv()
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, FixedEcho)
			start := time.Now()
			for _, err := range pitfalltest.AtOnce(func(int) error {
				stream, err := client.Echo(ctx)
				if err == nil {
					_, err = stream.Recv()
				}
				return err
			}) {
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			}
			require.Equal(t, limit, time.Since(start))
		}),
	}.Run(t)
}
