package concurrentrecv

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedCount(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	counting, request := new(service.Server), &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			values, err := handled(ctx, pitfalltest.Dial(t, counting), request, func(n int64) {
				if n == 1000 {
					cancel()
				}
			})
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.GreaterOrEqual(t, len(values), 1000)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := handled(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), request, ignore)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Ends(unavailable))
			values, err := handled(ctx, client, request, ignore)
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := handled(ctx, client, request, ignore)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			_, err := handled(pitfalltest.Canceled(ctx), client, request, ignore)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			limited, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			start := time.Now()
			_, err = handled(limited, client, request, func(int64) { time.Sleep(50 * time.Second) })
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, 100*time.Second, time.Since(start), "when handle has returned")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			call := pitfalltest.Go(func() error {
				_, err := handled(ctx, client, request, ignore)
				return err
			})
			pitfalltest.Cut(network)
			err := call.EndsWithin(t, time.Nanosecond)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, counting)
			network.Refuse(1)
			_, err := handled(ctx, client, request, ignore)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			pitfalltest.InARow(func(int) {
				values, err := handled(ctx, client, &pitfallsv1.CountRequest{To: 3}, ignore)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				return FixedCount(ctx, client, &pitfallsv1.CountRequest{To: 3}, ignore)
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

func ignore(int64) {}

// handled returns the numbers that FixedCount gives to handle, sorted.
func handled(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, handle func(int64),
) (values []int64, err error) {
	var mu sync.Mutex
	err = FixedCount(ctx, c, req, func(n int64) {
		handle(n)
		mu.Lock()
		defer mu.Unlock()
		values = append(values, n)
	})
	slices.Sort(values)
	return values, err
}
