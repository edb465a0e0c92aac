package sendafterreturn

import (
	"context"
	"math"
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

func TestSurvival_OfFixedCount(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := pitfalltest.Count(ctx, pitfalltest.Dial(t, new(handler).server()), &pitfallsv1.CountRequest{To: 0})
			require.NoError(t, err)
			require.Empty(t, values)
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 950*time.Millisecond)
			defer cancel()
			h := new(handler)
			values, err := pitfalltest.Count(ctx, pitfalltest.Dial(t, h.server()), &pitfallsv1.CountRequest{To: math.MaxInt64})
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Len(t, values, 9)
			h.requireEnded(t)
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(350*time.Millisecond, cancel)
			h := new(handler)
			values, err := pitfalltest.Count(ctx, pitfalltest.Dial(t, h.server()), &pitfallsv1.CountRequest{To: 10})
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Len(t, values, 3)
			h.requireEnded(t)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 24*time.Hour)
			defer cancel()
			h := new(handler)
			_, err := pitfalltest.Dial(t, h.server()).Count(ctx, &pitfallsv1.CountRequest{To: math.MaxInt64})
			require.NoError(t, err)
			time.Sleep(24 * time.Hour)
			h.requireEnded(t)
		}),
		PeerDoesNotSend: pitfalltest.NotApplicable("the client sends only its request"),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			h := new(handler)
			client := pitfalltest.Dial(t, h.server())
			_, err := pitfalltest.Count(pitfalltest.Canceled(ctx), client, &pitfallsv1.CountRequest{To: 1})
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond) // before the first number
			defer cancel()
			_, err = pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 1})
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			h.requireEnded(t)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			h := new(handler)
			client, network := pitfalltest.DialFaulty(t, h.server())
			time.AfterFunc(350*time.Millisecond, func() { network.Conn().Drop() })
			values, err := pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 10})
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Len(t, values, 3)
			h.requireEnded(t)
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, new(handler).server())
			pitfalltest.InARow(func(int) {
				values, err := pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 3})
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, new(handler).server())
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := pitfalltest.Count(ctx, client, &pitfallsv1.CountRequest{To: 3})
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// A handler calls FixedCount. It has room for the results of many calls.
type handler struct{ returned, failed chan error }

func (h *handler) server() *service.Server {
	h.returned, h.failed = make(chan error, pitfalltest.Many), make(chan error, pitfalltest.Many)
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			err := FixedCount(req, stream, func(err error) { h.failed <- err })
			h.returned <- err
			return err
		},
	}
}

// requireEnded requires that FixedCount reported the error of Send in both
// ways, within the pause between two numbers.
func (h *handler) requireEnded(t *testing.T) {
	t.Helper()
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
	for _, errs := range []chan error{h.failed, h.returned} {
		select {
		case err := <-errs:
			require.Error(t, err)
		default:
			require.Fail(t, "the handler still runs")
		}
	}
}
