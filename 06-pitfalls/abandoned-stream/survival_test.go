package abandonedstream

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedFind(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	counting, request := new(service.Server), &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, counting)
			n, err := FixedFind(ctx, client, request, 1000)
			require.NoError(t, err)
			require.EqualValues(t, 1000, n)
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedFind(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), request, 3)
			require.ErrorIs(t, err, io.EOF)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedFind(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), request, 3)
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedFind(ctx, client, request, 3)
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := FixedFind(pitfalltest.Canceled(ctx), pitfalltest.Dial(t, counting), request, 3)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			pitfalltest.EndsAt(t, ctx, time.Minute, func(ctx context.Context) error {
				_, err := FixedFind(ctx, pitfalltest.Dial(t, servers["handler that waits"]), request, 4)
				return err
			})
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, servers["handler that waits"])
			time.AfterFunc(time.Minute, func() { network.Conn().Drop() })
			start := time.Now()
			_, err := FixedFind(ctx, client, request, 4)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, time.Minute, time.Since(start))
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, counting)
			network.Refuse(1)
			_, err := FixedFind(ctx, client, request, 3)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, servers["handler that waits"])
			pitfalltest.InARow(func(int) {
				n, err := FixedFind(ctx, client, request, 3)
				require.NoError(t, err)
				require.EqualValues(t, 3, n)
			})
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, servers["handler that waits"])
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedFind(ctx, client, request, 3)
				return err
			}) {
				require.NoError(t, err)
			}
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
	}.Run(t)
}
