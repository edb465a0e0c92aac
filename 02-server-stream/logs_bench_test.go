package serverstream

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const (
	burst = 100 // entries that are published before the next wait
	line  = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"
)

// BenchmarkFanOut publishes bursts of entries to 1,000 followers over
// loopback TCP, each with its own connection, and waits until all have all.
func BenchmarkFanOut(b *testing.B) {
	const followers = 1000
	b.Run("loop of Send", func(b *testing.B) {
		s := &loopServer{}
		fanOut(b, s, s.publish, followers, 0)
	})
	b.Run("shared log", func(b *testing.B) {
		log := NewLog(10 * burst)
		s := &encodingServer{LogServer{Log: log}}
		fanOut(b, s, func() { log.Append(line, false) }, followers, 0)
	})
	b.Run("shared log, encoded once", func(b *testing.B) {
		log := NewLog(10 * burst)
		fanOut(b, &LogServer{Log: log}, func() { log.Append(line, false) }, followers, 0)
	})
}

// BenchmarkStalled is 99 followers without and with a hundredth that never
// reads. A loop of Send is not here: it would wait for that one for ever.
func BenchmarkStalled(b *testing.B) {
	for stalled := range 2 {
		b.Run(fmt.Sprintf("%d stalled", stalled), func(b *testing.B) {
			log := NewLog(10 * burst)
			fanOut(b, &LogServer{Log: log}, func() { log.Append(line, false) }, 99, stalled)
		})
	}
}

// BenchmarkAppend is what the publisher pays while followers wait.
func BenchmarkAppend(b *testing.B) {
	for _, followers := range []int{0, 1, 100, 10_000} {
		b.Run(fmt.Sprintf("%d followers", followers), func(b *testing.B) {
			log := NewLog(1000)
			ctx, cancel := context.WithCancel(b.Context())
			var waiting sync.WaitGroup
			for range followers {
				waiting.Go(func() {
					for seq := uint64(0); log.wait(ctx, seq) == nil; seq = log.last() {
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				log.Append(line, false)
			}
			cancel()
			waiting.Wait()
		})
	}
}

func (l *Log) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest
}

// fanOut serves logs and measures how long a burst takes to reach all
// followers that read.
func fanOut(b *testing.B, logs logsv1.LogServiceServer, publish func(), reading, stalled int) {
	addr := serveTCP(b, logs)
	for range stalled {
		newThinFollower(b, addr, 64<<10)
	}
	publish() // so that a follower knows that it is one
	var joined, arrived sync.WaitGroup
	for range reading {
		f := newThinFollower(b, addr, 1<<31-1)
		joined.Add(1)
		go func() {
			for n := 0; f.next() == nil; n++ {
				switch {
				case n == 0:
					joined.Done()
				case n%burst == 0:
					arrived.Done()
				}
			}
		}()
	}
	joined.Wait()

	b.ReportAllocs()
	for b.Loop() {
		arrived.Add(reading)
		for range burst {
			publish()
		}
		arrived.Wait()
	}
	b.ReportMetric(float64(b.N*burst*reading)/b.Elapsed().Seconds(), "deliveries/s")
}

func serveTCP(b *testing.B, logs logsv1.LogServiceServer) string {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(b, err)
	s := grpc.NewServer()
	logsv1.RegisterLogServiceServer(s, logs)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	b.Cleanup(func() {
		s.Stop()
		require.NoError(b, <-served)
	})
	return listener.Addr().String()
}

// An encodingServer shares the log, but encodes an entry for each follower.
type encodingServer struct{ LogServer }

func (s *encodingServer) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return s.follow(stream.Context(), req, func(e *entry) error { return stream.Send(e.LogEntry) })
}

// A loopServer does what tutorials show: it keeps the streams of its
// followers and sends each entry to one after the other.
type loopServer struct {
	logsv1.UnimplementedLogServiceServer

	mu      sync.Mutex
	streams []grpc.ServerStreamingServer[logsv1.LogEntry]
	last    *logsv1.LogEntry
}

func (s *loopServer) StreamLogs(_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
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
		Sequence: s.last.GetSequence() + 1, Timestamp: timestamppb.Now(), Message: line,
	}
	for _, stream := range s.streams {
		_ = stream.Send(s.last) // the stream of a follower that left
	}
}
