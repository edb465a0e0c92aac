package timeoutpermessage

import (
	"context"
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

// limit is longer than the 100 ms between two numbers of the server.
const limit = 550 * time.Millisecond

// deadlineTexts are texts that a client can see when its deadline passes.
var deadlineTexts = []string{
	"rpc error: code = DeadlineExceeded desc = context deadline exceeded",
	"rpc error: code = DeadlineExceeded desc = stream terminated by RST_STREAM with error code: CANCEL",
}

func TestBroken_EndsAHealthyStreamAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, after, err := countToTwenty(t, BrokenCount, sending(20))
		require.Error(t, err)
		require.Contains(t, deadlineTexts, err.Error())
		require.Equal(t, limit, after)
		require.Equal(t, 5, got)
	})
}

func TestFixed_KeepsAHealthyStreamOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, after, err := countToTwenty(t, FixedCount, sending(20))
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, after)
		require.Equal(t, 20, got)
	})
}

func TestBroken_SilentServerGetsLessThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, after, err := countToTwenty(t, BrokenCount, sending(3))
		require.Error(t, err)
		require.Contains(t, deadlineTexts, err.Error())
		require.Equal(t, 250*time.Millisecond, after-300*time.Millisecond, "since the last number")
		require.Equal(t, 3, got)
	})
}

func TestFixed_SilentServerGetsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, after, err := countToTwenty(t, FixedCount, sending(3))
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		require.Equal(t, "no number within 550ms", status.Convert(err).Message())
		require.Equal(t, limit, after-300*time.Millisecond, "since the last number")
		require.Equal(t, 3, got)
	})
}

func TestFixed_TimeInHandleDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handle := func(int64) { time.Sleep(2 * limit) }
		client := pitfalltest.Dial(t, sending(10))
		err := FixedCount(t.Context(), client, &pitfallsv1.CountRequest{To: 10}, limit, handle)
		require.NoError(t, err)
	})
}

type count = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, time.Duration, func(int64),
) error

// countToTwenty asks for 20 numbers. It returns how many numbers arrived, the
// time that the call took, and the error. It fails the test if the handler
// still runs a second later.
func countToTwenty(t *testing.T, count count, s *service.Server) (got int, after time.Duration, err error) {
	client := pitfalltest.Dial(t, s)
	start := time.Now()
	err = count(t.Context(), client, &pitfallsv1.CountRequest{To: 20}, limit, func(int64) { got++ })
	after = time.Since(start)
	time.Sleep(time.Second)
	require.Zero(t, pitfalltest.OpenStreams(t, client))
	return got, after, err
}

// sending returns a server that sends at most n numbers, one every 100 ms. If
// the client asked for more numbers, the stream then stays open and silent.
func sending(n int64) *service.Server {
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			for i := range min(n, req.GetTo()) {
				time.Sleep(100 * time.Millisecond)
				if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
					return err
				}
			}
			if req.GetTo() <= n {
				return nil
			}
			<-stream.Context().Done()
			return stream.Context().Err() // nil might overtake the client's own deadline
		},
	}
}
