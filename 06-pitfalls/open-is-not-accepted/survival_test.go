package openisnotaccepted

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

func TestSurvival_OfFixedCount(t *testing.T) {
	req := &pitfallsv1.CountRequest{To: 3}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := FixedCount(ctx, req) // no servers
			require.EqualError(t, err, "no server has accepted the call")
			require.Empty(t, got)
		}),
		InputNeverEnds: pitfalltest.NotApplicable("the list of servers has an end"),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			none := pitfalltest.Dial(t, &service.Server{OnCount: none})
			got, err := FixedCount(ctx, req, none, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, err)
			require.Empty(t, got, "the first server has accepted the call")
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refusing := pitfalltest.Dial(t, &service.Server{OnCount: refuse})
			got, err := FixedCount(ctx, req, refusing, refusing)
			require.EqualError(t, err, "no server has accepted the call\n"+
				"rpc error: code = Unauthenticated desc = token: expired\n"+
				"rpc error: code = Unauthenticated desc = token: expired")
			require.Equal(t, codes.Unauthenticated, status.Code(err))
			require.Empty(t, got)

			// After a message, another server would send that message again.
			failing := pitfalltest.Dial(t, pitfalltest.Ends(status.Error(codes.Unavailable, "restarting")))
			got, err = FixedCount(ctx, req, failing, pitfalltest.Dial(t, &service.Server{}))
			require.EqualError(t, err, "rpc error: code = Unavailable desc = restarting")
			require.Equal(t, []int64{1}, got)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			pitfalltest.EndsAt(t, ctx, time.Hour, func(ctx context.Context) error {
				_, err := FixedCount(ctx, req, pitfalltest.Dial(t, pitfalltest.Idle()))
				return err
			})
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{0, time.Minute} {
				pitfalltest.EndsAt(t, ctx, limit, func(ctx context.Context) error {
					_, err := FixedCount(ctx, req, pitfalltest.Dial(t, pitfalltest.Idle()))
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			first, network := pitfalltest.DialFaulty(t, pitfalltest.Idle())
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			got, err := FixedCount(ctx, req, first, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, got)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			away, network := pitfalltest.DialFaulty(t, &service.Server{})
			network.Refuse(2)
			_, err := FixedCount(ctx, req, away)
			require.ErrorContains(t, err, "connection refused")
			got, err := FixedCount(ctx, req, away, pitfalltest.Dial(t, &service.Server{}))
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, got)
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refusing := pitfalltest.Dial(t, &service.Server{OnCount: refuse})
			ready := pitfalltest.Dial(t, &service.Server{})
			pitfalltest.InARow(func(int) {
				got, err := FixedCount(ctx, req, refusing, ready)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			refusing := pitfalltest.Dial(t, &service.Server{OnCount: refuse})
			ready := pitfalltest.Dial(t, &service.Server{})
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := FixedCount(ctx, req, refusing, ready)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// none is the handler of a server that has no numbers.
func none(*pitfallsv1.CountRequest, numbers) error { return nil }
