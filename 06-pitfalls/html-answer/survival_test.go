package htmlanswer

import (
	"context"
	"net/http"
	"testing"
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
		InputIsClosed:   pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds:  pitfalltest.NotApplicable("the request is the only input"),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), request)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refused := status.Error(codes.Aborted, "not today")
			values, err := FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Ends(refused)), request)
			require.EqualError(t, err, refused.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Hour, cancel)
			start := time.Now()
			_, err := FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), request)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Equal(t, time.Hour, time.Since(start), "only the caller ends the call")
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := deploying(t, http.StatusNotFound)
			start := time.Now()
			_, err := FixedCount(pitfalltest.Canceled(ctx), client, request)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Zero(t, time.Since(start))

			limited, cancel := context.WithTimeout(ctx, 5500*time.Millisecond)
			defer cancel()
			_, err = FixedCount(limited, client, request)
			require.ErrorContains(t, err, "404 (Not Found)", "the last answer says more than the deadline")
			require.Equal(t, 5500*time.Millisecond, time.Since(start))
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			calls := 0
			client, network := pitfalltest.DialFaulty(t, &service.Server{
				OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
					if calls++; calls > 1 {
						return nil
					}
					<-stream.Context().Done()
					return nil
				},
			})
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			_, err := FixedCount(ctx, client, request)
			require.NoError(t, err)
			require.Equal(t, 2, calls)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(3)
			values, err := FixedCount(ctx, client, request)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, values)
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := deploying(t, http.StatusNotFound)
			pitfalltest.InARow(func(int) {
				_, err := FixedCount(ctx, client, request)
				require.NoError(t, err)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := deploying(t, http.StatusNotFound)
			time.Sleep(28 * time.Second) // not 30 calls each
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedCount(ctx, client, request)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}
