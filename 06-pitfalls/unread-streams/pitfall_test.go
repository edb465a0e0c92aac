package unreadstreams

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const (
	streams = 20
	numbers = 500  // that a client wants to send on each stream
	padding = 1200 // bytes of each number
)

// framesThatWait is the function that allocates the memory of what has
// arrived and was not read, as a heap profile names it.
const framesThatWait = "google.golang.org/grpc/internal/transport.(*framer).readDataFrame"

func TestBroken_ServerHoldsWhatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sendToSlowHandlers(t, BrokenOptions())
		for i := range s.sent {
			require.EqualValues(t, numbers, s.sent[i].Load(), "no Send waits")
		}
		require.Greater(t, heap()-s.heapBefore, int64(30<<20))
		require.Positive(t, profiled(framesThatWait))
	})
	for frame, want := range map[int]int{1<<10 + 1: 4 << 10, 4 << 10: 4 << 10, 4<<10 + 1: 16 << 10} {
		buffer := mem.DefaultBufferPool().Get(frame)
		require.Equal(t, want, cap(*buffer), "the buffer for a frame of %d bytes", frame)
		mem.DefaultBufferPool().Put(buffer)
	}
}

func TestFixed_SendWaitsForTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sendToSlowHandlers(t, FixedOptions())
		for i := range s.sent {
			require.Less(t, s.sent[i].Load()*padding, int64(130<<10))
		}
		require.Less(t, heap()-s.heapBefore, int64(24<<20))
	})
}

func TestBoth_DeliverToAHandlerThatReads(t *testing.T) {
	for name, opts := range map[string][]grpc.ServerOption{"broken": BrokenOptions(), "fixed": FixedOptions()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream, err := dial(t, &service.Server{}, opts).Sum(t.Context())
				require.NoError(t, err)
				for range 100 {
					require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 1, Padding: make([]byte, 60<<10)}))
				}
				response, err := stream.CloseAndRecv()
				require.NoError(t, err)
				require.EqualValues(t, 100, response.GetSum())
			})
		})
	}
}

type senders struct {
	heapBefore int64
	sent       [streams]atomic.Int64 // numbers
}

// sendToSlowHandlers sends numbers on all streams to handlers that work for
// an hour on their first one, until nothing more can be sent.
func sendToSlowHandlers(t *testing.T, opts []grpc.ServerOption) *senders {
	client := dial(t, slow, opts)
	s := &senders{heapBefore: heap()}
	for i := range streams {
		stream, err := client.Sum(t.Context())
		require.NoError(t, err)
		go func() {
			for range numbers {
				if stream.Send(&pitfallsv1.Number{Padding: make([]byte, padding)}) != nil {
					return // the test has ended
				}
				s.sent[i].Add(1)
			}
		}()
	}
	synctest.Wait()
	return s
}

// slow is a server whose handlers work for an hour on each number.
var slow = &service.Server{
	OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
		for {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			select {
			case <-time.After(time.Hour):
			case <-stream.Context().Done():
				return stream.Context().Err()
			}
		}
	},
}

func dial(t *testing.T, s *service.Server, opts []grpc.ServerOption) pitfallsv1.PitfallServiceClient {
	return pitfallsv1.NewPitfallServiceClient(pitfalltest.Serve(t, s, opts...).Dial(t))
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // the first one leaves what is in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// profiled returns how many bytes of the samples in the heap profile are in
// use and were allocated by function, or by what it calls.
func profiled(function string) (bytes int64) {
	records := make([]runtime.MemProfileRecord, 10_000)
	n, _ := runtime.MemProfile(records, false)
	for _, r := range records[:n] {
		frames := runtime.CallersFrames(r.Stack())
		for frame, more := frames.Next(); more; frame, more = frames.Next() {
			if frame.Function == function {
				bytes += r.InUseBytes()
			}
		}
	}
	return bytes
}
