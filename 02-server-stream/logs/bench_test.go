//go:build unix

package logs

import (
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const line = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"

// BenchmarkFanOut publishes bursts of entries to 1,000 followers over
// loopback TCP, each with its own connection, and waits until each follower
// has received all entries. It reports the CPU time for each delivery: of a
// loop of Send, of LogServer (log), and of a LogServer that encodes each
// entry only once. That includes the time of the followers, which read HTTP/2
// frames and do little else.
func BenchmarkFanOut(b *testing.B) {
	const followers = 1000
	loop := &loopServer{}
	log, once := NewLog(10*burst), NewLog(10*burst)
	took := takeTurns(b,
		fanOut(b, serveTCP(b, loop), loop.publish, followers),
		fanOut(b, serveTCP(b, &LogServer{Log: log}), appendTo(log), followers),
		fanOut(b, serveTCP(b, &preparingServer{LogServer: LogServer{Log: once}}), appendTo(once), followers))
	for i, name := range []string{"loop", "log", "once"} {
		b.ReportMetric(float64(took[i].Nanoseconds())/float64(b.N*burst*followers), "ns/"+name)
	}
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "loop/log")
	b.ReportMetric(took[0].Seconds()/took[2].Seconds(), "loop/once")
}

// BenchmarkStalled compares the CPU time of 99 followers alone and beside one
// that never reads. It does not measure the loop of Send, which would wait
// forever for that follower.
func BenchmarkStalled(b *testing.B) {
	const followers = 99
	quiet, spoiled := NewLog(10*burst), NewLog(10*burst)
	addr := serveTCP(b, &LogServer{Log: spoiled})
	stalled := newRawClient(b, addr, 64<<10)
	alone := fanOut(b, serveTCP(b, &LogServer{Log: quiet}), appendTo(quiet), followers)
	beside := fanOut(b, addr, appendTo(spoiled), followers)
	const first = 40 // bursts: more than the buffers of the stalled follower hold
	for range first {
		alone()
		beside()
	}
	took := takeTurns(b, alone, beside)
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "beside/alone")

	require.NoError(b, stalled.conn.SetReadDeadline(time.Now().Add(time.Second)))
	got := 0
	for _, err := stalled.next(); err == nil; _, err = stalled.next() {
		got++
	}
	require.Less(b, got, first*burst, "entries that were sent to the follower that did not read")
}

// takeTurns calls each function once in each iteration, and returns the CPU
// time that each took in total. Other work on the machine changes the CPU
// time less than the time on a clock.
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

func appendTo(log *Log) (publish func()) { return func() { log.Append(line, false) } }

// fanOut starts followers, and returns a function that publishes a burst and
// waits until each of them has received it.
func fanOut(b *testing.B, addr string, publish func(), followers int) (sendBurst func()) {
	publish() // each follower receives one entry, so we know it is subscribed
	var joined, arrived sync.WaitGroup
	for range followers {
		c := newRawClient(b, addr, 1<<31-1)
		joined.Add(1)
		go func() {
			for n := uint64(1); ; n++ {
				data, err := c.next()
				if err != nil {
					return
				}
				if n == 1 {
					joined.Done()
				} else if n%burst == 1 {
					requireEntry(b, data, n)
					arrived.Done()
				}
			}
		}()
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

// requireEntry looks at every hundredth entry of a follower. Because all are
// counted, none is lost or repeated if it has the right sequence.
func requireEntry(b *testing.B, data []byte, sequence uint64) {
	var e logsv1.LogEntry
	err := proto.Unmarshal(data[len("\x00size"):], &e)
	if err != nil || e.GetSequence() != sequence || e.GetMessage() != line {
		b.Errorf("entry %d: got %v, error %v", sequence, &e, err)
	}
}

func serveTCP(b *testing.B, logs logsv1.LogServiceServer) (addr string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	s := grpc.NewServer()
	register(logs)(s)
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
