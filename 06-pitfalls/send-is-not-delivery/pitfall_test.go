package sendisnotdelivery

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBrokenReportReturnsNilThoughTheServerLacksMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int64
		client := pitfalltest.Dial(t, counting(&got))

		start := time.Now()
		require.NoError(t, BrokenReport(t.Context(), client, make([]int64, 100)...))
		require.Zero(t, time.Since(start), "it waited for nobody")

		time.Sleep(24 * time.Hour)
		require.Zero(t, pitfalltest.OpenStreams(t, client))
		require.Less(t, got.Load(), int64(50))
	})
}

func TestFixedReportReturnsOnceTheServerHasAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int64
		client := pitfalltest.Dial(t, counting(&got))

		start := time.Now()
		require.NoError(t, FixedReport(t.Context(), client, make([]int64, 100)...))

		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, int64(100), got.Load())
	})
}

func TestSendReturnsBeforeTheHandlerHasReadAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int64
		stream, err := pitfalltest.Dial(t, counting(&got)).Sum(t.Context())
		require.NoError(t, err)
		start := time.Now()
		for range 100 {
			require.NoError(t, stream.Send(&pitfallsv1.Number{}))
		}
		require.Zero(t, time.Since(start))
		require.Zero(t, got.Load())
	})
}

// counting is a server that works 10 ms on each number and counts them.
func counting(got *atomic.Int64) *service.Server {
	return &service.Server{
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			for {
				_, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&pitfallsv1.SumResponse{Count: got.Load()})
				}
				if err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
				got.Add(1)
			}
		},
	}
}
