package closesendisnotclose

import (
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

func TestBroken_FeedGoesOnAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, ticking)
		feed, err := BrokenOpen(t.Context(), client, &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		require.NoError(t, feed.Close())

		time.Sleep(time.Minute)
		for i := range int64(60) {
			n, err := feed.Recv()
			require.NoError(t, err)
			require.Equal(t, i+1, n.GetValue())
		}
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
	})
}

func TestFixed_FeedEndsAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, ticking)
		feed, err := FixedOpen(t.Context(), client, &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		n, err := feed.Recv()
		require.NoError(t, err)
		require.Equal(t, int64(1), n.GetValue())

		require.NoError(t, feed.Close())

		_, err = feed.Recv()
		require.Equal(t, codes.Canceled, status.Code(err))
		time.Sleep(time.Second)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

func TestCloseSend_EndsAHandlerThatReadsUntilEOF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{})
		stream, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))

		require.NoError(t, stream.CloseSend())

		require.Zero(t, pitfalltest.OpenStreams(t, client))
	})
}

// ticking is a server that sends a number each second.
var ticking = &service.Server{
	OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		for i := int64(1); ; i++ {
			time.Sleep(time.Second)
			if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
				return err
			}
		}
	},
}
