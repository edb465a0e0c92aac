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
		got, after, failure := countToThree(t, BrokenCount)

		require.Empty(t, got)
		require.Zero(t, after)
		require.EqualError(t, failure, canceled)
	})
}

func TestFixed_SendsAllNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, after, failure := countToThree(t, FixedCount)

		require.Equal(t, []int64{1, 2, 3}, got)
		require.Equal(t, 300*time.Millisecond, after)
		require.NoError(t, failure)
	})
}

// The client reads nothing before the handler has returned, and the messages
// are larger than the window of the stream.
func TestSend_BeforeTheReturnIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{
			OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
				sent := make(chan struct{})
				go func() {
					for i := range int64(100) {
						_ = stream.Send(&pitfallsv1.Number{Value: i, Padding: make([]byte, 1000)})
					}
					close(sent)
					time.Sleep(time.Second)
					_ = stream.Send(&pitfallsv1.Number{Value: 100})
				}()
				<-sent
				return nil
			},
		})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		got, err := service.Values(stream)
		require.NoError(t, err)
		require.Len(t, got, 100)
	})
}

func TestRecv_ReturnsCanceledAfterTheReturnToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := make(chan error, 1)
		client := pitfalltest.Dial(t, &service.Server{
			OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
				go func() {
					_, err := stream.Recv()
					received <- err
				}()
				return nil
			},
		})
		_, err := client.Echo(t.Context())
		require.NoError(t, err)

		require.EqualError(t, <-received, canceled)
	})
}

type count = func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number], func(error)) error

// countToThree makes a call that count handles. The call must end with OK.
// countToThree returns the numbers, the time that the call took, and the
// error of Send, if Send failed within a second after the call.
func countToThree(t *testing.T, count count) (got []int64, after time.Duration, failure error) {
	client := pitfalltest.Dial(t, &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return count(req, stream, func(err error) { failure = err })
		},
	})
	start := time.Now()
	stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{To: 3})
	require.NoError(t, err)
	got, err = service.Values(stream)
	require.NoError(t, err)
	after = time.Since(start)
	time.Sleep(time.Second)
	synctest.Wait()
	return got, after, failure
}
