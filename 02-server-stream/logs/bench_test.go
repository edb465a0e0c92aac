//go:build unix

package logs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
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

const line = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d"

// BenchmarkFanOut publishes bursts of entries to 1,000 followers over
// loopback TCP, each with its own connection, and waits until each follower
// has received all entries. It reports the CPU time for each delivery: of a
// loop of Send, of LogServer (log), and of a LogServer that encodes each
// entry only once.
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
// time that each took in total. Other work on the machine hardly changes the
// CPU time.
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
			require.EqualValues(b, b.N, newest())
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
				after := uint64(len(took))
				for range followers {
					woken.Go(func() { _ = log.wait(b.Context(), after) })
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

// A rawClient follows the log over an HTTP/2 connection of its own, and only
// counts the messages that arrive. A benchmark with 1,000 raw clients
// measures the server, because the clients cost little.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

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
	return &rawClient{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// next returns the next DATA frame, which is valid until the next call. The
// server sends a small message in one frame.
func (c *rawClient) next() ([]byte, error) {
	for {
		header, err := c.r.Peek(9)
		if err != nil {
			return nil, err
		}
		length := int(header[0])<<16 | int(header[1])<<8 | int(header[2])
		kind := http2.FrameType(header[3])
		frame, err := c.r.Peek(9 + length)
		if err != nil {
			return nil, err
		}
		if _, err := c.r.Discard(len(frame)); err != nil {
			return nil, err
		}
		if kind == http2.FrameData {
			return frame[9:], nil
		}
	}
}
