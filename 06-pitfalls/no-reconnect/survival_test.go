package noreconnect

import (
	"context"
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

func TestSurvival_OfFixedFollow(t *testing.T) {
	const canceled = "rpc error: code = Canceled desc = context canceled"
	notFound := status.Error(codes.NotFound, "no such count")
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := follow(ctx, pitfalltest.Dial(t, ticking), 10*time.Minute-50*time.Millisecond)
			require.EqualError(t, err, canceled)
			require.EqualValues(t, 6000, got[len(got)-1])
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := follow(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)), time.Hour)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, got)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			start := time.Now()
			got, err := follow(ctx, pitfalltest.Dial(t, pitfalltest.Ends(notFound)), time.Hour)
			require.EqualError(t, err, notFound.Error())
			require.Equal(t, []int64{1}, got)
			require.Zero(t, time.Since(start), "a new stream would not help")

			got, err = follow(ctx, pitfalltest.Dial(t, restarting(9, notFound)), time.Hour)
			require.EqualError(t, err, notFound.Error())
			require.Len(t, got, 10)
			require.Equal(t, 9*time.Second, time.Since(start), "a second before each of the others")
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			got, err := follow(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), time.Hour)
			require.EqualError(t, err, canceled)
			require.Empty(t, got)
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			_, err := follow(pitfalltest.Canceled(ctx), pitfalltest.Dial(t, ticking), time.Hour)
			require.EqualError(t, err, canceled)

			away, network := pitfalltest.DialFaulty(t, ticking)
			time.AfterFunc(50*time.Millisecond, func() { network.Refuse(100) })
			for _, client := range []pitfallsv1.PitfallServiceClient{ // in Count, in Recv, in the pause
				away, pitfalltest.Dial(t, ticking), pitfalltest.Dial(t, restarting(9, notFound)),
			} {
				pitfalltest.EndsAt(t, ctx, 1500*time.Millisecond, func(ctx context.Context) error {
					_, err := follow(ctx, client, time.Hour)
					return err
				})
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking)
			for _, at := range []int{250, 2000, 3950} { // a stream begins after 0, 1250 and 3000 ms
				time.AfterFunc(time.Duration(at)*time.Millisecond, func() { network.Conn().Drop() })
			}
			got, err := follow(ctx, client, 5200*time.Millisecond) // and after 4950 ms
			require.EqualError(t, err, canceled)
			require.Equal(t, []int64{1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3}, got)
		}),
		// The server comes back after several connects have failed.
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking)
			network.Refuse(3)
			time.AfterFunc(5*time.Minute, func() { network.Refuse(3) })
			got, err := follow(ctx, client, 10*time.Minute)
			require.EqualError(t, err, canceled)
			require.Greater(t, len(got), 5800)
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			pitfalltest.InARow(func(int) {
				got, err := follow(ctx, client, 250*time.Millisecond)
				require.EqualError(t, err, canceled)
				require.Equal(t, []int64{1, 2, 3}, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := follow(ctx, client, 250*time.Millisecond)
				return err
			}) {
				require.EqualError(t, err, canceled)
			}
		}),
	}.Run(t)
}

// restarting ends n streams with Unavailable, and all others with err.
func restarting(n int, err error) *service.Server {
	return &service.Server{OnCount: func(
		_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	) error {
		if failed := stream.Send(&pitfallsv1.Number{Value: 1}); failed != nil {
			return failed
		}
		if n--; n < 0 {
			return err
		}
		return status.Error(codes.Unavailable, "restarting")
	}}
}

// follow returns the numbers that arrive until the end of FixedFollow, or
// until the cancel after d.
func follow(ctx context.Context, c pitfallsv1.PitfallServiceClient, d time.Duration) (got []int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(d, cancel).Stop()
	err = FixedFollow(ctx, c, func(n int64) { got = append(got, n) })
	return got, err
}
