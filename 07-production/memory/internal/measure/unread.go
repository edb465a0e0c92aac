// Package measure measures what streams of chapter 02's log take.
package measure

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/memory"
	"example.com/streams/internal/memserver"
)

// Unread is a number of streams on one connection that nobody reads.
type Unread struct {
	Streams     int
	Entries     int           // of the log
	MessageSize int           // of each entry, in bytes
	Warm        int           // how often the connection reads the whole log before
	RTT         time.Duration // round-trip time
}

// Held is what a stream that nobody reads takes, on average.
type Held struct {
	Heap int64 // bytes of heap and stacks, on both sides
	Sent int64 // bytes of the messages that the handler has sent
}

// Measure opens the streams and waits until the server has sent nothing for 0.4 s.
// Client and server run in this process.
func (u Unread) Measure(ctx context.Context, opts ...grpc.DialOption) (Held, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sent atomic.Int64
	s := memserver.Serve(register(newLog(u.Entries, u.MessageSize)), grpc.StreamInterceptor(counting(&sent)))
	defer s.Close()
	conn, err := s.NewClient(append(opts, grpc.WithContextDialer(memory.Link(s.DialContext, u.RTT)))...)
	if err != nil {
		return Held{}, err
	}
	defer conn.Close()
	for range u.Warm {
		if err := readAll(ctx, conn); err != nil {
			return Held{}, err
		}
	}
	sent.Store(0)
	before := heap()
	for range u.Streams {
		if _, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, &logsv1.LogRequest{Follow: true}); err != nil {
			return Held{}, err
		}
	}
	if err := settle(ctx, &sent); err != nil {
		return Held{}, err
	}
	n := int64(u.Streams)
	return Held{Heap: (heap() - before) / n, Sent: sent.Load() * int64(u.MessageSize) / n}, nil
}

func newLog(entries, size int) *logs.Log {
	log := logs.NewLog(entries)
	for range entries {
		log.Append(strings.Repeat("x", size), false)
	}
	return log
}

// heap returns how many bytes of heap and stacks are in use, once what was
// closed before is gone.
func heap() (n int64) {
	for range 100 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		before := n
		if n = int64(m.HeapAlloc + m.StackInuse); max(n-before, before-n) < 16<<10 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return n
}

func register(log *logs.Log) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log}) }
}

// counting returns an interceptor that counts the messages sent.
func counting(sent *atomic.Int64) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return handler(srv, countingStream{stream, sent})
	}
}

type countingStream struct {
	grpc.ServerStream
	sent *atomic.Int64
}

func (s countingStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.sent.Add(1)
	}
	return err
}

// settle waits until something has been sent, and then nothing for 0.4 s.
func settle(ctx context.Context, sent *atomic.Int64) error {
	last := int64(0)
	for same := 0; same < 5; same++ {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if n := sent.Load(); n == 0 || n != last {
			last, same = n, 0
		}
	}
	return nil
}
