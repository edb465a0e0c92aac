package timeoutpermessage

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const silence = "rpc error: code = DeadlineExceeded desc = no number within 550ms"

func TestSurvival_OfFixedCount(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
			defer cancel()
			got := 0
			err := FixedCount(ctx, pitfalltest.Dial(t, sending(1<<40)), &pitfallsv1.CountRequest{To: 1 << 40},
				limit, func(int64) { got++ })
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.NotContains(t, err.Error(), "no number", "the caller ended the call, not silence")
			require.InDelta(t, 6000, got, 1)
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			require.NoError(t, count20(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil))))
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			err := count20(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)))
			require.EqualError(t, err, unavailable.Error())
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, pitfalltest.Idle())
			start := time.Now()
			require.EqualError(t, count20(ctx, client), silence)
			require.Equal(t, limit, time.Since(start))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			err := count20(pitfalltest.Canceled(ctx), pitfalltest.Dial(t, sending(20)))
			require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")

			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(limit/2, cancel)
			err = count20(ctx, pitfalltest.Dial(t, pitfalltest.Idle()))
			require.EqualError(t, err, "rpc error: code = Canceled desc = context canceled")
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, sending(20))
			time.AfterFunc(time.Second, func() { network.Conn().Drop() })
			err := count20(ctx, client)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, sending(20),
				grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
			network.Refuse(100)
			start := time.Now()
			require.EqualError(t, count20(ctx, client), silence)
			require.Equal(t, limit, time.Since(start))
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sending(20))
			pitfalltest.InARow(func(int) { require.NoError(t, count20(ctx, client)) })
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, sending(20))
			for _, err := range pitfalltest.AtOnce(func(int) error { return count20(ctx, client) }) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

func count20(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	return FixedCount(ctx, c, &pitfallsv1.CountRequest{To: 20}, limit, func(int64) {})
}
