package concurrentsend

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestBroken_CountSendsNothingButHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: BrokenCount})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()

		numbers, heartbeats, err := readSlowly(ctx, client)

		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		require.Less(t, numbers, 100)
		require.Greater(t, heartbeats, 1190, "heartbeats after the last number")
	})
}

func TestFixed_CountSendsAllUnderALock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: FixedCount})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		start := time.Now()
		numbers, _, err := readSlowly(ctx, client)

		require.NoError(t, err)
		require.Equal(t, 100, numbers)
		require.Equal(t, 1010*time.Millisecond, time.Since(start), "for 100 numbers and a heartbeat")
	})
}

// A heartbeat waits for the lock when the last number is sent.
func TestCount_WaitsForItsLastHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: func(
			req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
		) error {
			return FixedCount(req, slowStream{stream})
		}})
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{To: 2})
		require.NoError(t, err)
		values, err := service.Values(stream)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 0}, values)
	})
}

// A slowStream needs 300 ms for each Send.
type slowStream struct {
	grpc.ServerStreamingServer[pitfallsv1.Number]
}

func (s slowStream) Send(n *pitfallsv1.Number) error {
	time.Sleep(300 * time.Millisecond)
	return s.ServerStreamingServer.Send(n)
}

// sources returns three sources. The first yields a number that is larger than
// the quota of 64 KiB. A second later, each of the others yields a small
// number, and its Send waits if each source has its own. After an hour the
// server begins to read. The quota then becomes positive once, and one of the
// two calls is woken.
func sources() []iter.Seq[*pitfallsv1.Number] {
	return []iter.Seq[*pitfallsv1.Number]{
		after(0, &pitfallsv1.Number{Padding: make([]byte, 256<<10)}),
		after(time.Second, &pitfallsv1.Number{}),
		after(time.Second, &pitfallsv1.Number{}),
	}
}

// after returns a source that yields n after d.
func after(d time.Duration, n *pitfallsv1.Number) iter.Seq[*pitfallsv1.Number] {
	return func(yield func(*pitfallsv1.Number) bool) {
		time.Sleep(d)
		yield(n)
	}
}

// dialLate returns a client of a server that begins to read after an hour, and
// then sets arrived to the values it received until the call ended.
func dialLate(t *testing.T, arrived *[]int64) pitfallsv1.PitfallServiceClient {
	return pitfalltest.Dial(t, &service.Server{
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) (err error) {
			time.Sleep(time.Hour)
			if *arrived, err = service.Values(stream); err != nil {
				return err
			}
			return stream.SendAndClose(&pitfallsv1.SumResponse{})
		},
	})
}

func TestBroken_SumLeavesOneSendWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived []int64
		client := dialLate(t, &arrived)
		ctx, cancel := context.WithCancel(t.Context())
		call := pitfalltest.Go(func() error {
			_, err := BrokenSum(ctx, client, sources()...)
			return err
		})

		call.StillRuns(t, 24*time.Hour)
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		require.Contains(t, string(stacks), "google.golang.org/grpc/internal/transport.(*writeQuota).get")

		cancel()
		require.Equal(t, codes.Canceled, status.Code(call.Err()))
		synctest.Wait()
		require.Len(t, arrived, 2)
	})
}

func TestFixed_SumSendsAllFromOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived []int64
		client := dialLate(t, &arrived)
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()

		start := time.Now()
		_, err := FixedSum(ctx, client, sources()...)

		require.NoError(t, err)
		require.Len(t, arrived, 3)
		require.Equal(t, time.Hour, time.Since(start), "when the server began to read")
	})
}

func TestFixed_SumDoesNotWaitForASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		came := false
		late := func(yield func(*pitfallsv1.Number) bool) {
			time.Sleep(time.Hour)
			came = true
			yield(&pitfallsv1.Number{})
		}
		start := time.Now()
		_, err := FixedSum(t.Context(), pitfalltest.Dial(t, pitfalltest.Ends(nil)), late, endless)
		require.NoError(t, err)
		require.Zero(t, time.Since(start))

		time.Sleep(time.Hour - time.Nanosecond)
		require.Equal(t, 1, strings.Count(strings.Join(memservertest.Goroutines(), "\n\n"), "time.Sleep("), "the source still waits")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.True(t, came)
	})
}

// A large number uses up the quota. When its data is written, the quota
// becomes positive once more.
func TestSum_LargeNumberWakesTheWaitingSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived []int64
		client := dialLate(t, &arrived)
		large := after(2*time.Hour, &pitfallsv1.Number{Padding: make([]byte, 256<<10)})

		start := time.Now()
		_, err := BrokenSum(t.Context(), client, append(sources(), large)...)

		require.NoError(t, err)
		require.Len(t, arrived, 4)
		require.Equal(t, 2*time.Hour, time.Since(start))
	})
}

// Both calls of Send find that no headers were sent, and then wait for the
// lock of the stream's metadata. SetTrailer holds this lock while it copies.
// grpc-go does not send the trailer te, because the name is reserved.
func TestSend_FirstTwoOfAHandlerCanFail(t *testing.T) {
	large := metadata.MD{"te": make([]string, 1<<18)}
	client := pitfalltest.Dial(t, &service.Server{
		OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			started := make(chan struct{})
			var senders errgroup.Group
			for range 2 {
				senders.Go(func() error {
					<-started
					return stream.Send(&pitfallsv1.Number{})
				})
			}
			close(started)
			stream.SetTrailer(large)
			_ = senders.Wait()
			return nil // the failed Send has ended the call
		},
	})
	for range 1000 { // it often happens within a few calls
		stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		if _, err := service.Values(stream); err != nil {
			require.EqualError(t, err,
				"rpc error: code = Internal desc = transport: SendHeader called multiple times")
			return
		}
	}
	require.Fail(t, "all calls of Send have succeeded")
}

// With -race, this test also shows that the race detector reports nothing.
func TestSum_LosesNoSmallNumberOfEightSenders(t *testing.T) {
	numbers := slices.Values(slices.Repeat([]*pitfallsv1.Number{{Value: 7}}, 1000))
	sources := slices.Repeat([]iter.Seq[*pitfallsv1.Number]{numbers}, 8)
	response, err := BrokenSum(t.Context(), pitfalltest.Dial(t, &service.Server{}), sources...)
	require.NoError(t, err)
	require.Equal(t, int64(8*1000), response.GetCount())
	require.Equal(t, int64(8*1000*7), response.GetSum())
}
