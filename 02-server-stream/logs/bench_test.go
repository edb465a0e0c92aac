package logs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
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
// that never reads. It does not measure the loop of Send, which would wait
// forever for that follower.
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
					for seq := uint64(0); ctx.Err() == nil; seq = newest() {
						_ = log.wait(ctx, seq)
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

// BenchmarkAppendAsleep measures one Append while all followers sleep, as
// they do if the log grows slowly.
func BenchmarkAppendAsleep(b *testing.B) {
	for _, followers := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d followers", followers), func(b *testing.B) {
			log := NewLog(1000)
			var took []time.Duration
			for b.Loop() {
				var woken sync.WaitGroup
				for range followers {
					woken.Go(func() { _ = log.wait(b.Context(), uint64(len(took))) })
				}
				time.Sleep(20 * time.Millisecond) // until they sleep
				start := time.Now()
				log.Append(line, false)
				took = append(took, time.Since(start))
				woken.Wait()
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[0].Nanoseconds()), "ns/append-min")
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "ns/append-median")
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

// A rawClient follows the log over an HTTP/2 connection of its own, and only
// counts the messages that arrive. A benchmark with 1,000 raw clients
// measures the server, because the clients cost little.
type rawClient struct{ r *bufio.Reader }

// newRawClient returns a client that lets the server send window bytes.
func newRawClient(b *testing.B, addr string, window uint32) *rawClient {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })

	var request bytes.Buffer
	request.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&request, nil)
	require.NoError(b, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}))
	require.NoError(b, framer.WriteWindowUpdate(0, 1<<31-1-65535))
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "localhost"},
		{":path", logsv1.LogService_StreamLogs_FullMethodName},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		require.NoError(b, encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
	}
	require.NoError(b, framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true, BlockFragment: headers.Bytes(),
	}))
	message, err := proto.Marshal(&logsv1.LogRequest{Follow: true})
	require.NoError(b, err)
	prefix := []byte{0, 0, 0, 0, byte(len(message))}
	require.NoError(b, framer.WriteData(1, true, append(prefix, message...)))
	_, err = conn.Write(request.Bytes())
	require.NoError(b, err)
	return &rawClient{bufio.NewReaderSize(conn, 64<<10)}
}

// next returns when the next DATA frame has arrived. The server sends a
// small message in one frame.
func (c *rawClient) next() error {
	for {
		header, err := c.r.Peek(9)
		if err != nil {
			return err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind := http2.FrameType(header[3])
		if _, err := c.r.Discard(9 + length); err != nil {
			return err
		}
		if kind == http2.FrameData {
			return nil
		}
	}
}
