//go:build unix

package fastlog

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	fastlogv1 "example.com/streams/07-production/throughput/fastlog/v1"
)

const (
	line  = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"
	burst = 100 // entries that a benchmark publishes before it waits

	entryMethod = logsv1.LogService_StreamLogs_FullMethodName
	batchMethod = fastlogv1.BatchLogService_StreamBatches_FullMethodName
)

// A step is one way to send a log to many followers.
type step struct {
	name    string
	method  string
	streams int // on a connection
	server  func() (service any, publish func())
}

var steps = []step{
	{"loop", entryMethod, 1, func() (any, func()) { s := new(loopServer); return s, s.publish }},
	{"log", entryMethod, 1, func() (any, func()) {
		log := logs.NewLog(10 * burst)
		return &logs.LogServer{Log: log}, func() { log.Append(line, false) }
	}},
	{"encoded", batchMethod, 1, func() (any, func()) { s := newEncodingServer(); return s, s.publish }},
	{"once", entryMethod, 1, newFastLog},
	{"copied", batchMethod, 1, func() (any, func()) {
		s, publish := newFastLog()
		return copyServer{s.(*LogServer)}, publish
	}},
	{"batches", batchMethod, 1, newFastLog},
	{"batches100", batchMethod, 100, newFastLog},
}

func newFastLog() (any, func()) {
	log := NewLog(10 * burst)
	return &LogServer{Log: log}, func() { log.Append(line, false) }
}

// BenchmarkFanOut publishes bursts of entries to many followers over loopback
// TCP, and waits until each follower has received all entries. It reports
// the CPU time of each delivery, and how many times as much the first step
// takes. That includes the time of the followers, which do little. The steps
// take turns.
//
//   - loop: a loop of Send over a list of streams.
//   - log: chapter 02's log, in which each handler encodes each entry.
//   - encoded: batches, which each handler encodes.
//   - once: each entry is encoded once, and sent alone.
//   - copied: batches of entries that were encoded once, copied for each
//     follower.
//   - batches: batches that are slices of the log.
//   - batches100: the same with 100 streams on a connection.
func BenchmarkFanOut(b *testing.B) {
	for _, followers := range []int{100, 1000} {
		b.Run(fmt.Sprint(followers, "_followers"), func(b *testing.B) {
			var bursts []func()
			for _, s := range steps {
				bursts = append(bursts, fanOut(b, s, followers))
			}
			took := takeTurns(b, bursts...)
			for i, s := range steps {
				b.ReportMetric(float64(took[i].Nanoseconds())/float64(b.N*burst*followers), "ns/"+s.name)
				if i > 0 {
					b.ReportMetric(took[0].Seconds()/took[i].Seconds(), "loop/"+s.name)
				}
			}
		})
	}
}

// takeTurns calls each function once in each iteration, and returns the CPU
// time that each took in total. Other work on the machine changes the CPU
// time less than the time.
func takeTurns(b *testing.B, functions ...func()) []time.Duration {
	took := make([]time.Duration, len(functions))
	for b.Loop() {
		for i, f := range functions {
			start := cpuTime(b)
			f()
			took[i] += cpuTime(b) - start
		}
	}
	b.ReportMetric(0, "ns/op") // of all functions together
	return took
}

// cpuTime returns the time for which CPUs have run this process.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// fanOut starts a server and followers, and returns a function that publishes
// a burst and waits until each of them has received it.
func fanOut(b *testing.B, s step, followers int) (sendBurst func()) {
	service, publish := s.server()
	addr := serveTCP(b, service)
	publish() // each follower receives one entry, so we know it is subscribed
	var joined, arrived sync.WaitGroup
	joined.Add(followers)
	for n := 0; n < followers; n += s.streams {
		c := newRawConn(b, addr, s.method, min(s.streams, followers-n))
		go receive(b, c, s.method, &joined, &arrived)
	}
	joined.Wait()
	return func() {
		arrived.Add(followers)
		for range burst {
			publish()
		}
		arrived.Wait()
	}
}

// receive counts the entries of each stream, until the connection is closed.
// It says when a stream has joined, and when a burst has arrived.
func receive(b *testing.B, c *rawConn, method string, joined, arrived *sync.WaitGroup) {
	received := map[uint32]uint64{}
	for {
		id, messages, err := c.next()
		if err != nil {
			return
		}
		for _, m := range messages {
			last := m
			if method == entryMethod {
				received[id]++
			} else {
				for _, last = range elements(m) {
					received[id]++
				}
			}
			switch n := received[id]; {
			case n == 1:
				joined.Done()
			case n%burst == 1:
				requireEntry(b, last, n)
				arrived.Done()
			}
		}
	}
}

// requireEntry looks at every hundredth entry of a follower. Because all are
// counted, none is lost or repeated if it has the right sequence.
func requireEntry(b *testing.B, data []byte, sequence uint64) {
	var e logsv1.LogEntry
	err := proto.Unmarshal(data, &e)
	if err != nil || e.GetSequence() != sequence || e.GetMessage() != line {
		b.Errorf("entry %d: got %v, error %v", sequence, &e, err)
	}
}

func serveTCP(b *testing.B, service any) (addr string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	s := grpc.NewServer()
	if service, ok := service.(logsv1.LogServiceServer); ok {
		logsv1.RegisterLogServiceServer(s, service)
	}
	if service, ok := service.(fastlogv1.BatchLogServiceServer); ok {
		fastlogv1.RegisterBatchLogServiceServer(s, service)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	b.Cleanup(func() {
		s.Stop()
		require.NoError(b, <-served)
	})
	return listener.Addr().String()
}

// A loopServer keeps the streams of its followers in a list, and sends each
// entry to one after the other.
type loopServer struct {
	logsv1.UnimplementedLogServiceServer

	mu      sync.Mutex
	streams []serverStream
	last    *logsv1.LogEntry
}

func (s *loopServer) StreamLogs(_ *logsv1.LogRequest, stream serverStream) error {
	s.mu.Lock()
	s.streams = append(s.streams, stream)
	err := stream.Send(s.last)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (s *loopServer) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = &logsv1.LogEntry{
		Sequence: s.last.GetSequence() + 1, Timestamp: timestamppb.Now(), Message: line, LogId: "5f3a91c0",
	}
	for _, stream := range s.streams {
		_ = stream.Send(s.last) // fails for a follower that has left
	}
}

// A copyServer is a [LogServer] that copies each batch for each follower.
type copyServer struct{ *LogServer }

func (s copyServer) StreamBatches(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[fastlogv1.LogBatch],
) error {
	return s.follow(req, stream.Context(), func(batch []byte) error {
		return stream.SendMsg(&encoded{data: slices.Clone(batch), message: new(fastlogv1.LogBatch)})
	})
}

// An encodingServer sends batches, and encodes each batch anew for each
// follower.
type encodingServer struct {
	fastlogv1.UnimplementedBatchLogServiceServer

	log  *Log // says what to send, and when
	held [10 * burst]*logsv1.LogEntry
}

func newEncodingServer() *encodingServer { return &encodingServer{log: NewLog(10 * burst)} }

func (s *encodingServer) publish() {
	next := s.log.newest + 1 // only publish changes it
	s.held[next%uint64(len(s.held))] = &logsv1.LogEntry{
		Sequence: next, Timestamp: timestamppb.Now(), Message: line, LogId: s.log.id,
	}
	s.log.Append(line, false)
}

func (s *encodingServer) StreamBatches(
	_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[fastlogv1.LogBatch],
) error {
	for after := uint64(0); stream.Context().Err() == nil; {
		_, n, last, err := s.log.read(s.log.id, after, len(s.held))
		if err != nil {
			return err
		}
		if n == 0 {
			_ = s.log.wait(stream.Context(), after)
			continue
		}
		batch := new(fastlogv1.LogBatch)
		for ; after < last; after++ {
			batch.Entries = append(batch.Entries, s.held[(after+1)%uint64(len(s.held))])
		}
		if err := stream.Send(batch); err != nil {
			return err
		}
	}
	return stream.Context().Err()
}
