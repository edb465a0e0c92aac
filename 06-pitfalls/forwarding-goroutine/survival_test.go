package forwardinggoroutine

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
)

func TestSurvival_OfFixedCount(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	counting := new(service.Server)
	three, endless := &pitfallsv1.CountRequest{To: 3}, &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			ctx, cancel := context.WithCancel(ctx)
			numbers, wait := FixedCount(ctx, client, endless)
			for i := range int64(1000) {
				require.Equal(t, i+1, <-numbers)
			}
			cancel()
			require.Equal(t, codes.Canceled, status.Code(wait()))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := read(FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), endless))
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Ends(unavailable))
			values, err := read(FixedCount(ctx, client, endless))
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			// The peer that does not read is the caller.
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, wait := FixedCount(ctx, pitfalltest.Dial(t, counting), three)
				return wait()
			})
		}),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := read(FixedCount(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), endless))
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			_, err := read(FixedCount(pitfalltest.Canceled(ctx), client, endless))
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			for range pitfalltest.Many { // each time, both cases of a select may be ready
				limited, cancel := context.WithTimeout(ctx, time.Second)
				numbers, wait := FixedCount(limited, client, three)
				require.EqualValues(t, 1, <-numbers)
				time.Sleep(time.Second)
				synctest.Wait()
				_, err := read(numbers, wait)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				cancel()
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			numbers, wait := FixedCount(ctx, client, endless)
			pitfalltest.Cut(network)
			_, err := read(numbers, wait)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, counting)
			network.Refuse(1)
			_, err := read(FixedCount(ctx, client, endless))
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			pitfalltest.InARow(func(int) {
				values, err := read(FixedCount(ctx, client, three))
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := read(FixedCount(ctx, client, three))
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}
