package sendisnotdelivery

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_ReturnsNilThoughMostIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, received := slowServer()
		client := pitfalltest.Dial(t, server)

		start := time.Now()
		require.NoError(t, BrokenReport(t.Context(), client, make([]int64, 100)...))
		require.Zero(t, time.Since(start), "BrokenReport waits for nothing")

		time.Sleep(24 * time.Hour)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
		require.Less(t, received.count, 50)
		require.EqualError(t, received.end, "rpc error: code = Canceled desc = context canceled")
	})
}

func TestFixed_ReturnsOnceTheServerHasAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, received := slowServer()
		client := pitfalltest.Dial(t, server)

		start := time.Now()
		require.NoError(t, FixedReport(t.Context(), client, make([]int64, 100)...))

		require.Equal(t, time.Second, time.Since(start))
		synctest.Wait()
		require.Equal(t, 100, received.count)
		require.Equal(t, io.EOF, received.end)
	})
}

// The cancel often discards the value within a few calls.
func TestBroken_LosesTheValueOfAFastHandlerToo(t *testing.T) {
	lost := false
	for range 1000 {
		synctest.Test(t, func(t *testing.T) {
			arrived := false
			client := pitfalltest.Dial(t, &service.Server{
				OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
					_, err := stream.Recv()
					if err != nil {
						return err
					}
					arrived = true
					return stream.SendAndClose(&pitfallsv1.SumResponse{})
				},
			})
			require.NoError(t, BrokenReport(t.Context(), client, 1))
			require.Zero(t, pitfalltest.OpenStreams(t, client))
			lost = lost || !arrived
		})
		if lost {
			return
		}
	}
	require.Fail(t, "all values have arrived")
}

func TestRecv_CanLoseWhatHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, received := slowServer()
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := pitfalltest.Dial(t, server).Sum(ctx)
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
		}
		synctest.Wait() // all have arrived, and the handler has read one

		cancel()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Less(t, received.count, 100)
		require.EqualError(t, received.end, "rpc error: code = Canceled desc = context canceled")
	})
}

func TestSend_ReturnsBeforeTheHandlerHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{
			OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
				<-stream.Context().Done()
				return stream.Context().Err()
			},
		})
		stream, err := client.Sum(t.Context())
		require.NoError(t, err)
		start := time.Now()
		for range 100 {
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
		}
		require.Zero(t, time.Since(start))
	})
}

// received is what the handler of a slowServer received: the number of
// messages, and the error of the last Recv.
type received struct {
	count int
	end   error
}

// slowServer returns a server for one Sum, which works 10 ms on each number.
func slowServer() (*service.Server, *received) {
	r := new(received)
	return &service.Server{
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			for {
				_, r.end = stream.Recv()
				if errors.Is(r.end, io.EOF) {
					return stream.SendAndClose(&pitfallsv1.SumResponse{})
				}
				if r.end != nil {
					return r.end
				}
				time.Sleep(10 * time.Millisecond)
				r.count++
			}
		},
	}, r
}
