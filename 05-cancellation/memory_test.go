package cancellation

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// A client asks for all ticks that are held, with a flow-control window of 0.
// grpc-go then keeps 64 KiB of messages for each stream. They take much more
// memory, because each small message has a frame of its own. The process
// takes about twice as much as the test measures, because the garbage
// collector waits until the heap has doubled.
//
// This test runs outside of a bubble, because in one the race detector of Go
// 1.26 crashes at its 20,000 goroutines.
func TestExchange_StalledStreamHoldsHalfMegabyte(t *testing.T) {
	const streams = 10
	x := &Exchange{Epoch: time.Now().Add(-5000 * time.Second), SendTimeout: 2 * time.Second}
	s := serveTicker(t, x)
	conn, err := s.dial(t.Context(), "")
	require.NoError(t, err)
	defer conn.Close() // fails if the test has closed it
	framer := http2.NewFramer(conn, conn)
	_, err = conn.Write([]byte(http2.ClientPreface))
	require.NoError(t, err)
	require.NoError(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	go discard(conn)

	before := heap()
	for i := range streams {
		writeWatch(t, framer, uint32(2*i+1), &tickerv1.WatchRequest{After: new(uint64(1500))})
	}
	for range streams {
		require.Equal(t, codes.Aborted.String(), status.Code((<-s.handlers).err).String())
	}
	held := (heap() - before) / streams
	t.Logf("%d bytes for each stream", held)
	require.Less(t, held, 500_000)
	require.Greater(t, held, 250_000, "the streams are not stalled")

	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return (heap()-before)/streams < 100_000 },
		time.Minute, 10*time.Millisecond, "after the client has left")
}

// heap returns the size of all live objects.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // a sync.Pool keeps its objects through the first one
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// discard receives until conn is closed.
func discard(conn net.Conn) {
	for buf := make([]byte, 1<<10); ; {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// writeWatch opens a stream that calls Watch.
func writeWatch(t *testing.T, framer *http2.Framer, stream uint32, req *tickerv1.WatchRequest) {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: tickerv1.TickerService_Watch_FullMethodName},
		{Name: ":authority", Value: "exchange"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	} {
		require.NoError(t, encoder.WriteField(field))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true,
	}))
	message, err := proto.Marshal(req)
	require.NoError(t, err)
	prefix := []byte{0, 0, 0, 0, byte(len(message))} // not compressed, and the length
	require.NoError(t, framer.WriteData(stream, true, append(prefix, message...)))
}
