package concurrentsend

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
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

// sources returns three sources. The first yields a number that is larger than
// the quota of 64 KiB. A second later, each of the others yields a small
// number, and its Send waits. After an hour the server begins to read. The
// quota then becomes positive once, and one of the two is woken.
func sources() []iter.Seq[*pitfallsv1.Number] {
	small := &pitfallsv1.Number{Value: 1}
	return []iter.Seq[*pitfallsv1.Number]{
		after(0, &pitfallsv1.Number{Value: 1, Padding: make([]byte, 256<<10)}),
		after(time.Second, small),
		after(time.Second, small),
	}
}

// after returns a source that yields n after d.
func after(d time.Duration, n *pitfallsv1.Number) iter.Seq[*pitfallsv1.Number] {
	return func(yield func(*pitfallsv1.Number) bool) {
		time.Sleep(d)
		yield(n)
	}
}

// A lateServer begins to read after an hour, and counts the numbers.
type lateServer struct{ got atomic.Int64 }

func (s *lateServer) sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	time.Sleep(time.Hour)
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pitfallsv1.SumResponse{Count: s.got.Load()})
		}
		if err != nil {
			return err
		}
		s.got.Add(1)
	}
}

func TestBroken_SumLeavesOneSendWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server lateServer
		client := pitfalltest.Dial(t, &service.Server{OnSum: server.sum})
		ctx, cancel := context.WithCancel(t.Context())
		call := pitfalltest.Go(func() error {
			_, err := BrokenSum(ctx, client, sources()...)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		require.Equal(t, int64(2), server.got.Load(), "numbers that arrived")
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		require.Contains(t, string(stacks), "google.golang.org/grpc/internal/transport.(*writeQuota).get")

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
	})
}

// A large number uses up the quota. When its data is written, the quota
// becomes positive once more.
func TestSum_LargeNumberWakesTheWaitingSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server lateServer
		client := pitfalltest.Dial(t, &service.Server{OnSum: server.sum})
		large := &pitfallsv1.Number{Value: 1, Padding: make([]byte, 256<<10)}

		start := time.Now()
		response, err := BrokenSum(t.Context(), client, append(sources(), after(2*time.Hour, large))...)

		require.NoError(t, err)
		require.Equal(t, int64(4), response.GetCount())
		require.Equal(t, 2*time.Hour, time.Since(start))
	})
}

func TestFixed_SumSendsAllFromOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server lateServer
		client := pitfalltest.Dial(t, &service.Server{OnSum: server.sum})
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()

		start := time.Now()
		response, err := FixedSum(ctx, client, sources()...)

		require.NoError(t, err)
		require.Equal(t, int64(3), response.GetCount())
		require.Equal(t, time.Hour, time.Since(start), "when the server began to read")
	})
}

func TestBroken_CountSendsNothingButHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: BrokenCount})
		ctx, cancel := context.WithCancel(t.Context())
		var r reader
		call := pitfalltest.Go(func() error { return r.read(ctx, client, 100) })

		call.StillRuns(t, time.Minute)
		numbers, heartbeats := r.numbers.Load(), r.heartbeats.Load()
		require.Less(t, numbers, int64(100))

		call.StillRuns(t, 10*time.Minute)
		require.Equal(t, numbers, r.numbers.Load())
		require.Equal(t, heartbeats+1200, r.heartbeats.Load())

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
	})
}

func TestFixed_CountSendsAllUnderALock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: FixedCount})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var r reader

		start := time.Now()
		err := r.read(ctx, client, 100)

		require.NoError(t, err)
		require.Equal(t, int64(100), r.numbers.Load())
		require.Equal(t, int64(1), r.heartbeats.Load())
		require.Equal(t, 101*pause, time.Since(start))
	})
}

// With -race, this test also shows that the race detector reports nothing.
func TestSum_LosesNoSmallNumberOfEightSenders(t *testing.T) {
	numbers := make([]*pitfallsv1.Number, 1000)
	for i := range numbers {
		numbers[i] = &pitfallsv1.Number{Value: int64(i)}
	}
	client := pitfalltest.Dial(t, &service.Server{})
	got, err := BrokenSum(t.Context(), client, slices.Repeat([]iter.Seq[*pitfallsv1.Number]{slices.Values(numbers)}, 8)...)
	require.NoError(t, err)
	require.Equal(t, int64(8*1000), got.GetCount())
	require.Equal(t, int64(8*1000*999/2), got.GetSum())
}
