package logs

import (
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

const (
	burst = 100 // entries that are published before the benchmark waits
	line  = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"
)

// BenchmarkFanOut publishes bursts of entries to 1,000 followers over
// loopback TCP, each with its own connection, and waits until each follower
// has received all entries.
func BenchmarkFanOut(b *testing.B) {
	const followers = 1000
	b.Run("loop of Send", func(b *testing.B) {
		s := &loopServer{}
		fanOut(b, s, s.publish, followers, 0)
	})
	b.Run("shared log", func(b *testing.B) {
		log := NewLog(10 * burst)
		fanOut(b, &LogServer{Log: log}, func() { log.Append(line, false) }, followers, 0)
	})
	b.Run("shared log, encoded once", func(b *testing.B) {
		log := NewLog(10 * burst)
		s := &preparingServer{LogServer: LogServer{Log: log}}
		fanOut(b, s, func() { log.Append(line, false) }, followers, 0)
	})
}

// BenchmarkStalled measures 99 followers, alone and together with one more
// that never reads. It has no loop of Send, because the loop would wait for
// that one forever.
func BenchmarkStalled(b *testing.B) {
	for stalled := range 2 {
		b.Run(fmt.Sprintf("%d stalled", stalled), func(b *testing.B) {
			log := NewLog(10 * burst)
			fanOut(b, &LogServer{Log: log}, func() { log.Append(line, false) }, 99, stalled)
		})
	}
}

// BenchmarkAppend measures what the publisher pays while followers wait.
func BenchmarkAppend(b *testing.B) {
	for _, followers := range []int{0, 1, 100, 10_000} {
		b.Run(fmt.Sprintf("%d followers", followers), func(b *testing.B) {
			log := NewLog(1000)
			newest := func() uint64 {
				log.mu.Lock()
				defer log.mu.Unlock()
				return log.newest
			}
			ctx, cancel := context.WithCancel(b.Context())
			var waiting sync.WaitGroup
			for range followers {
				waiting.Go(func() {
					for seq := uint64(0); log.wait(ctx, seq) == nil; seq = newest() {
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

// fanOut serves logs and measures how long a burst takes to reach all
// followers that read.
func fanOut(b *testing.B, logs logsv1.LogServiceServer, publish func(), reading, stalled int) {
	addr := serveTCP(b, logs)
	for range stalled {
		newRawClient(b, addr, 64<<10)
	}
	publish() // each follower receives one entry, so we know it is subscribed
	var joined, arrived sync.WaitGroup
	for range reading {
		c := newRawClient(b, addr, 1<<31-1)
		joined.Add(1)
		go func() {
			for n := 0; c.next() == nil; n++ {
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

func serveTCP(b *testing.B, logs logsv1.LogServiceServer) (addr string) {
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

// A loopServer keeps the streams of its followers in a list, and sends each
// entry to one after the other.
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
		_ = stream.Send(s.last) // fails for a follower that has left
	}
}

// A preparingServer is a [LogServer] that encodes each entry once, as a
// [grpc.PreparedMsg], and sends the same bytes to all followers. LogServer
// does not do so, because a PreparedMsg has a price and limits:
//
//   - Compression: the bytes are compressed as the stream that was given to
//     Encode compresses. The client of a stream that does not compress
//     cannot decode them (see TestPreparedMsg_NeedsTheSameCompression).
//   - Codec: the bytes are also encoded with the codec of that stream. A
//     server with a second codec needs one PreparedMsg for each.
//   - Ownership: the bytes stay in memory as long as the entry does, in
//     addition to the entry. No documentation says that streams may share
//     a PreparedMsg concurrently. They can in grpc-go v1.85.0, which does
//     not change the bytes and does not return them to a pool. The type is
//     experimental.
//   - Interceptors and stats handlers see a *grpc.PreparedMsg instead of a
//     LogEntry.
type preparingServer struct {
	LogServer

	mu   sync.Mutex // held while an entry is encoded
	held [10 * burst]atomic.Pointer[preparedEntry]
}

type preparedEntry struct {
	sequence uint64
	msg      grpc.PreparedMsg
}

func (s *preparingServer) StreamLogs(req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	return s.LogServer.StreamLogs(req, preparedStream{stream, s})
}

// A preparedStream sends what its server has encoded.
type preparedStream struct {
	grpc.ServerStreamingServer[logsv1.LogEntry]
	server *preparingServer
}

func (s preparedStream) Send(e *logsv1.LogEntry) error {
	msg, err := s.server.encode(s.ServerStreamingServer, e)
	if err != nil {
		return err
	}
	return s.SendMsg(msg)
}

// encode returns the encoding of e. The first stream that asks for it
// determines the codec and the compression.
func (s *preparingServer) encode(stream grpc.ServerStream, e *logsv1.LogEntry) (*grpc.PreparedMsg, error) {
	slot := &s.held[e.GetSequence()%uint64(len(s.held))]
	if p := slot.Load(); p != nil && p.sequence == e.GetSequence() {
		return &p.msg, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := slot.Load(); p != nil && p.sequence == e.GetSequence() {
		return &p.msg, nil // another stream has just encoded e
	}
	p := &preparedEntry{sequence: e.GetSequence()}
	if err := p.msg.Encode(stream, e); err != nil {
		return nil, err
	}
	slot.Store(p)
	return &p.msg, nil
}

func TestPreparedMsg_NeedsTheSameCompression(t *testing.T) {
	// The test runs in a process of its own, because clients name every
	// registered compressor in a header, which wire_test.go would see.
	p := testproc.Self(t, func() int {
		encoding.RegisterCompressor(zlibCompressor{})
		log := NewLog(10)
		appendLines(log, 3)
		requireCompression(t, &LogServer{Log: log}, codes.OK)
		requireCompression(t, &preparingServer{LogServer: LogServer{Log: log}}, codes.Internal)
		return 0
	}, nil)
	exit, stdout, stderr := p.Wait()
	require.Zero(t, exit, "%s%s", stdout, stderr)
}

// requireCompression requires that two streams that compress receive an
// entry, and that a third, which does not compress, ends with the code.
func requireCompression(t *testing.T, srv logsv1.LogServiceServer, code codes.Code) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client := dialServer(t, srv)
		for _, tt := range []struct {
			compressor string
			code       codes.Code
		}{{"zlib", codes.OK}, {"zlib", codes.OK}, {"identity", code}} {
			stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{}, grpc.UseCompressor(tt.compressor))
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Equal(t, tt.code, status.Code(err), "%T, compressor %s: got %v", srv, tt.compressor, err)
		}
	})
}

type zlibCompressor struct{}

func (zlibCompressor) Name() string                                 { return "zlib" }
func (zlibCompressor) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }
func (zlibCompressor) Decompress(r io.Reader) (io.Reader, error)    { return zlib.NewReader(r) }
