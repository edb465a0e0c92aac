package closesendisnotclose

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

func TestSurvival_OfFixedOpen(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "restarting")
	request := &pitfallsv1.CountRequest{}
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the request is the only input"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, new(service.Server))
			feed, err := FixedOpen(ctx, client, request)
			require.NoError(t, err)
			synctest.Wait() // the handler waits in Send
			require.NoError(t, feed.Close())
			require.NoError(t, feed.Close(), "a second time")
			require.Zero(t, pitfalltest.OpenStreams(t, client))
		}),
		PeerEndsWithOK: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := read(ctx, pitfalltest.Dial(t, pitfalltest.Ends(nil)))
			require.NoError(t, err)
			require.Equal(t, []int64{1}, values)
		}),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			values, err := read(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)))
			require.EqualError(t, err, unavailable.Error())
			require.Equal(t, []int64{1}, values)
		}),
		PeerDoesNotRead: pitfalltest.NotApplicable("the request is smaller than the window"),
		PeerDoesNotSend: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			feed, err := FixedOpen(ctx, pitfalltest.Dial(t, pitfalltest.Idle()), request)
			require.NoError(t, err)
			recv := pitfalltest.Go(func() error { _, err := feed.Recv(); return err })
			recv.StillRuns(t, time.Hour)
			require.NoError(t, feed.Close())
			err = recv.EndsWithin(t, time.Nanosecond)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		}),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			_, err := FixedOpen(pitfalltest.Canceled(ctx), client, request)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

			limited, cancel := context.WithTimeout(ctx, 2500*time.Millisecond)
			defer cancel()
			values, err := read(limited, client)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1, 2}, values)
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking)
			time.AfterFunc(2500*time.Millisecond, func() { network.Conn().Drop() })
			values, err := read(ctx, client)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Equal(t, []int64{1, 2}, values)
		}),
		ServerIsAway: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, network := pitfalltest.DialFaulty(t, ticking)
			network.Refuse(1)
			_, err := FixedOpen(ctx, client, request)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "connection refused")
		}),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			pitfalltest.InARow(func(int) {
				feed, err := FixedOpen(ctx, client, request)
				require.NoError(t, err)
				n, err := feed.Recv()
				require.NoError(t, err)
				require.EqualValues(t, 1, n.GetValue())
				require.NoError(t, feed.Close())
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client := pitfalltest.Dial(t, ticking)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				feed, err := FixedOpen(ctx, client, request)
				if err != nil {
					return err
				}
				defer func() { _ = feed.Close() }() // always nil
				_, err = feed.Recv()
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// read opens a feed, reads it to the end, and closes it.
func read(ctx context.Context, c pitfallsv1.PitfallServiceClient) ([]int64, error) {
	feed, err := FixedOpen(ctx, c, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = feed.Close() }() // always nil
	return service.Values(feed)
}
