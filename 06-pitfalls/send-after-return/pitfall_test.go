package sendafterreturn

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const canceled = "rpc error: code = Canceled desc = context canceled"

func TestBroken_EndsWithOKAndNoNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make(chan error, 1)
		client := pitfalltest.Dial(t, serving(BrokenCount, func(err error) { failures <- err }))

		got, after := countToThree(t, client)

		require.Empty(t, got)
		require.Zero(t, after)
		require.EqualError(t, <-failures, canceled)
	})
}

func TestFixed_SendsAllNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make(chan error, 1)
		client := pitfalltest.Dial(t, serving(FixedCount, func(err error) { failures <- err }))

		got, after := countToThree(t, client)

		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 300*time.Millisecond, after)
		require.Empty(t, failures)
	})
}

// countToThree returns the numbers and the time that the call took. The call
// must end with OK. Then countToThree waits a second, in which a goroutine of
// the handler can end.
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

func TestRecv_ReturnsCanceledAfterTheReturnToo(t *testing.T) {
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

		require.EqualError(t, <-failures, canceled)
	})
}

type count = func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number], func(error)) error

// serving returns a server whose Count calls count with failed.
func serving(count count, failed func(error)) *service.Server {
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return count(req, stream, failed)
		},
	}
}
