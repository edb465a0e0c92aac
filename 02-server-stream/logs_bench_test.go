package serverstream

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const (
	followers = 1000
	burst     = 100 // entries that are published before the next wait
	line      = "12:00:01 INFO checkout GET /cart 200 12ms user=4711 session=0a1b2c"
)

// BenchmarkFanOut publishes bursts of entries to 1,000 followers over
// loopback TCP, and waits until each has them.
func BenchmarkFanOut(b *testing.B) {
	b.Run("loop of Send", func(b *testing.B) {
		s := &loopServer{}
		fanOut(b, s, s.publish)
	})
	b.Run("shared log", func(b *testing.B) {
		log := NewLog(10 * burst)
		fanOut(b, &encodingServer{LogServer{Log: log}}, func() { log.Append(line, false) })
	})
	b.Run("shared log, encoded once", func(b *testing.B) {
		log := NewLog(10 * burst)
		fanOut(b, &LogServer{Log: log}, func() { log.Append(line, false) })
	})
}

func fanOut(b *testing.B, logs logsv1.LogServiceServer, publish func()) {
	addr := serveTCP(b, logs)
	var arrived sync.WaitGroup
	arrived.Add(followers)
	for range followers {
		f := newThinFollower(b, addr)
		go func() {
			for n := 1; f.next() == nil; n++ {
				if n%burst == 0 {
					arrived.Done()
				}
			}
		}()
	}
	if l, ok := logs.(*loopServer); ok {
		l.waitFor(followers)
	}
	b.ReportAllocs()
	for first := true; first || b.Loop(); {
		if !first {
			arrived.Add(followers)
		}
		first = false
		for range burst {
			publish()
		}
		arrived.Wait()
	}
	b.ReportMetric(float64(b.N*burst*followers)/b.Elapsed().Seconds(), "deliveries/s")
}

func serveTCP(b *testing.B, logs logsv1.LogServiceServer) string {
	lis, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	s := grpc.NewServer(grpc.WaitForHandlers(true))
	logsv1.RegisterLogServiceServer(s, logs)
	go s.Serve(lis)
	b.Cleanup(s.Stop)
	return lis.Addr().String()
}

// A loopServer does what tutorials show: it keeps the streams of its
// followers and sends each entry to one after the other.
type loopServer struct {
	logsv1.UnimplementedLogServiceServer

	mu      sync.Mutex
	streams []grpc.ServerStreamingServer[logsv1.LogEntry]
	seq     uint64
}

func (s *loopServer) waitFor(n int) {
	for {
		s.mu.Lock()
		ok := len(s.streams) == n
		s.mu.Unlock()
		if ok {
			return
		}
	}
}

func (s *loopServer) StreamLogs(_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	s.mu.Lock()
	s.streams = append(s.streams, stream)
	s.mu.Unlock()
	<-stream.Context().Done()
	return nil
}

func (s *loopServer) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	for _, stream := range s.streams {
		_ = stream.Send(&logsv1.LogEntry{Sequence: s.seq, Message: line})
	}
}

// An encodingServer shares the log, but encodes each entry per follower.
type encodingServer struct{ LogServer }

func (s *encodingServer) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return s.follow(stream.Context(), req, func(e *entry) error { return stream.Send(e.LogEntry) })
}
