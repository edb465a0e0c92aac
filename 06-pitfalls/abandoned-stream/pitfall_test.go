package abandonedstream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_FindLeavesTheHandlerInSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			n, err := BrokenFind(ctx, client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
			require.NoError(t, err)
			require.Equal(t, int64(3), n)
		}

		time.Sleep(24 * time.Hour)
		require.Equal(t, 3, pitfalltest.OpenStreams(t, client))

		cancel()
		require.Zero(t, pitfalltest.OpenStreams(t, client), "handlers after the caller has canceled")
	})
}

func TestFixed_FindLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		for range 3 {
			n, err := FixedFind(t.Context(), client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
			require.NoError(t, err)
			require.Equal(t, int64(3), n)
		}
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestBroken_FindLeavesAHandlerThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, threeNumbers())
		_, err := BrokenFind(t.Context(), client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
		require.NoError(t, err)

		time.Sleep(24 * time.Hour)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixed_FindEndsAHandlerThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, threeNumbers())
		_, err := FixedFind(t.Context(), client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
		require.NoError(t, err)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

// threeNumbers returns a server that sends three numbers, and then waits
// until the call ends.
func threeNumbers() *service.Server {
	return &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			for i := range int64(3) {
				if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
					return err
				}
			}
			<-stream.Context().Done()
			return nil
		},
	}
}

// The handler of a short stream has sent all its numbers, and returns.
func TestFind_LeavesNothingOfAShortStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		_, err := BrokenFind(t.Context(), client, &pitfallsv1.CountRequest{To: 5}, three)
		require.NoError(t, err)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestPing_WaitsForAnAbandonedStreamAtTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := pitfalltest.Serve(t, &service.Server{}, grpc.MaxConcurrentStreams(1))
		client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
		// The client learns the quota from the server's SETTINGS.
		_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
		require.NoError(t, err)
		_, err = BrokenFind(t.Context(), client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
		require.NoError(t, err)

		call := pitfalltest.Go(func() error {
			_, err := client.Ping(t.Context(), &pitfallsv1.PingRequest{})
			return err
		})
		call.StillRuns(t, 24*time.Hour)
	})
}
