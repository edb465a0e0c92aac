package sendafterreturn

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

func TestBrokenCountEndsWithOKAndNoNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make(chan error, 1)
		client := pitfalltest.Dial(t, serving(BrokenCount, func(err error) { failures <- err }))

		got, after := countToThree(t, client)

		require.Empty(t, got)
		require.Zero(t, after)
		err := <-failures
		require.Equal(t, codes.Canceled, status.Code(err))
		require.Equal(t, "context canceled", status.Convert(err).Message())
	})
}

func TestFixedCountSendsTheNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make(chan error, 1)
		client := pitfalltest.Dial(t, serving(FixedCount, func(err error) { failures <- err }))

		got, after := countToThree(t, client)

		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 300*time.Millisecond, after)
		require.Empty(t, failures)
	})
}

// countToThree returns the numbers and when the call ended, which it does
// with OK. What the handler left behind may end then.
func countToThree(t *testing.T, c pitfallsv1.PitfallServiceClient) ([]int64, time.Duration) {
	start := time.Now()
	stream, err := c.Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
	require.NoError(t, err)
	got, err := service.Values(stream)
	require.NoError(t, err)
	after := time.Since(start)
	time.Sleep(time.Second)
	return got, after
}

func TestRecvAfterTheReturnIsCanceledToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make(chan error, 1)
		client := pitfalltest.Dial(t, &service.Server{
			OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
				go func() {
					_, err := stream.Recv()
					failures <- err
				}()
				return nil
			},
		})
		stream, err := client.Echo(t.Context())
		require.NoError(t, err)
		got, err := service.Values(stream)
		require.NoError(t, err)
		require.Empty(t, got)

		err = <-failures
		require.Equal(t, codes.Canceled, status.Code(err))
		require.Equal(t, "context canceled", status.Convert(err).Message())
	})
}

type count = func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number], func(error)) error

// serving is a server with the handler.
func serving(count count, failed func(error)) *service.Server {
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return count(req, stream, failed)
		},
	}
}
