package unreadstreams

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
)

func TestSurvival_OfFixedOptions(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			response, err := sum(ctx, dial(t, &service.Server{}, FixedOptions()), 0)
			require.NoError(t, err)
			require.Zero(t, response.GetCount())
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, err := sum(ctx, dial(t, slow, FixedOptions()), 1<<30)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("a client cannot end this RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := &service.Server{OnSum: slow.OnSum}
			client := dial(t, s, FixedOptions())
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Minute, cancel)
			_, err := sum(ctx, client, numbers)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := &service.Server{}
			ctx, cancel := context.WithCancel(ctx)
			_, err := dial(t, s, FixedOptions()).Count(ctx, &pitfallsv1.CountRequest{Padding: padding})
			require.NoError(t, err)
			time.Sleep(time.Hour)
			require.EqualValues(t, 1, s.OpenStreams(), "only flow control stops the handler")
			cancel()
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := &service.Server{}
			ctx, cancel := context.WithCancel(ctx)
			_, err := dial(t, s, FixedOptions()).Sum(ctx)
			require.NoError(t, err)
			time.Sleep(24 * time.Hour)
			require.EqualValues(t, 1, s.OpenStreams())
			cancel()
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, slow, FixedOptions())
			for _, limit := range []time.Duration{0, time.Second, 90 * time.Minute} {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				start := time.Now()
				_, err := sum(ctx, client, numbers)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, limit, time.Since(start))
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			s := &service.Server{OnSum: slow.OnSum}
			server := pitfalltest.Serve(t, s, FixedOptions()...)
			network := faultnet.New(server.DialContext)
			conn := server.Dial(t, grpc.WithContextDialer(network.DialContext))
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			_, err := sum(ctx, pitfallsv1.NewPitfallServiceClient(conn), numbers)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			synctest.Wait()
			require.Zero(t, s.OpenStreams())
		}),
		ServerIsAway: pitfalltest.NotApplicable("these are options of the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, &service.Server{}, FixedOptions())
			pitfalltest.InARow(func(int) {
				response, err := sum(ctx, client, 20) // more than a window
				require.NoError(t, err)
				require.EqualValues(t, 20, response.GetCount())
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := dial(t, &service.Server{}, FixedOptions())
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := sum(ctx, client, 20)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// sum sends n numbers of 10 KiB.
func sum(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	for range n {
		if err := stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	return stream.CloseAndRecv()
}
