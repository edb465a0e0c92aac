package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestTap_PrintsVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.ok(r.WriteWindowUpdate(1, 10))
		r.headers("grpc-status", "5")
		var printed bytes.Buffer
		tap := New(&printed)
		tap.StreamsOnly = true
		time.Sleep(1200 * time.Millisecond)
		_, err := tap.Server(new(fakeConn)).Write(r.Bytes())
		require.NoError(t, err)
		require.Equal(t, "    1.2s S->C HEADERS    stream=1   len=12    grpc-status=5\n", printed.String())
	})
}

func TestTap_PrintsRequestBeforeResponse(t *testing.T) {
	r := record(t)
	var printed lines
	c := &respondingConn{fakeConn: connOf(r.Bytes())}
	c.tapped = New(&printed).Client(c)
	_, err := c.tapped.Write(append([]byte(http2.ClientPreface), r.Bytes()...))
	require.NoError(t, err)
	require.Equal(t, `
C->S SETTINGS      stream=0   len=0
S->C SETTINGS      stream=0   len=0
`, printed.untimed())
}

// A respondingConn is read before its Write returns.
type respondingConn struct {
	*fakeConn
	tapped net.Conn
}

func (c *respondingConn) Write(p []byte) (int, error) {
	_, err := io.ReadAll(c.tapped)
	return len(p), err
}

func TestTap_MarksLinesOfLaterConnections(t *testing.T) {
	r := record(t)
	for range 200 {
		r.headers(":status", "200")
	}
	var printed lines
	tap := New(&printed)
	var wg sync.WaitGroup
	for range 3 {
		conn := tap.Client(connOf(slices.Collect(slices.Chunk(r.Bytes(), 50))...))
		wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	}
	wg.Wait()
	require.Len(t, printed, 3*201, "one Write per line")
	for _, mark := range []string{"", "#2 ", "#3 "} {
		line := "S->C HEADERS       stream=1   len=1     " + mark + ":status=200\n"
		require.Equal(t, 200, strings.Count(printed.untimed(), line), line)
	}
}

func TestTap_PassesBytesThatAreNotHTTP2(t *testing.T) {
	frame, headers := record(t), record(t)
	frame.ok(frame.WriteRawFrame(http2.FrameData, 0, 0, nil)) // DATA on stream 0
	headers.ok(headers.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff}, EndHeaders: true}))
	for data, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n": "this is not HTTP/2: the first frame is not SETTINGS",
		frame.String():                     "connection error: PROTOCOL_ERROR",
		headers.String():                   "decoding error: truncated headers",
	} {
		got := read(t, []byte(data), []byte("and so on"), record(t).Bytes())
		require.Equal(t, 1, strings.Count(got, "no more frames"), got)
		require.True(t, strings.HasSuffix(got, "\nS->C no more frames are shown: "+want+"\n"), got)
	}
}

func TestTap_StopsAtAFrameAboveItsLimit(t *testing.T) {
	for length, stops := range map[int]bool{1 << 20: false, 1<<20 + 1: true} {
		r := record(t)
		r.Write([]byte{byte(length >> 16), byte(length >> 8), byte(length), byte(http2.FrameData), 0, 0, 0, 0, 1})
		got := read(t, r.Bytes()) // no byte of the payload has arrived
		require.Equal(t, stops, strings.HasSuffix(got, "\nS->C no more frames are shown: http2: frame too large\n"), got)
	}
}

func TestTap_StopsAtAFieldAboveItsLimit(t *testing.T) {
	for _, tt := range []struct {
		length, table int
		want          string
	}{
		{1 << 20, 4096, "grpc-status=5\n"},
		{1<<20 + 1, 4096, "no more frames are shown: hpack: string too long\n"},
		{1, 1 << 20, "grpc-status=5\n"},
		{1, 1<<20 + 1, "no more frames are shown: decoding error: dynamic table size update too large\n"},
	} {
		r := record(t)
		r.hpack.SetMaxDynamicTableSizeLimit(1 << 30)
		r.hpack.SetMaxDynamicTableSize(uint32(tt.table))
		block := r.encode("x", strings.Repeat("\x00", tt.length), "grpc-status", "5")
		first := block[:min(len(block), 100)]
		r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndHeaders: len(first) == len(block)}))
		for rest := block[len(first):]; len(rest) > 0; {
			n := min(len(rest), 16384)
			r.ok(r.WriteContinuation(1, n == len(rest), rest[:n]))
			rest = rest[n:]
		}
		got := read(t, r.Bytes())
		require.True(t, strings.HasSuffix(got, tt.want), "%v: ... %s", tt, got[max(0, len(got)-200):])
	}
}

func TestTap_StaysQuietInOneDirectionOnly(t *testing.T) {
	var printed lines
	c := connOf(record(t).Bytes())
	conn := New(&printed).Client(c)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "GET / HTTP/1.1\r\n\r\n", c.out.String())
	require.Equal(t, `
C->S no more frames are shown: this is not HTTP/2: the client's preface is missing
S->C SETTINGS      stream=0   len=0
`, printed.untimed())
}

func TestTap_IgnoresErrorOfOut(t *testing.T) {
	closed, out := io.Pipe()
	require.NoError(t, closed.Close())
	got, err := io.ReadAll(New(out).Client(connOf(record(t).Bytes())))
	require.NoError(t, err)
	require.Len(t, got, 9)
}

func TestDialer_ReturnsDialError(t *testing.T) {
	want := errors.New("no such host")
	dial := New(io.Discard).Dialer(func(context.Context, string) (net.Conn, error) { return nil, want })
	conn, err := dial(t.Context(), "somewhere:1")
	require.Nil(t, conn)
	require.Equal(t, want, err)
}

func TestRound_KeepsColumnNarrow(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                           "0s",
		12345 * time.Nanosecond:     "12µs",
		1234567 * time.Nanosecond:   "1.23ms",
		999999 * time.Microsecond:   "1s",
		1200 * time.Millisecond:     "1.2s",
		12345 * time.Millisecond:    "12.3s",
		70500 * time.Millisecond:    "1m10.5s",
		9*time.Hour + time.Minute/8: "9h0m8s",
	} {
		require.Equal(t, want, round(d).String())
	}
}

// FuzzTap reads data in pieces of size+1 bytes at one end of a connection,
// and writes data at the other. Every byte must pass unchanged, both ends
// must print the same lines, and every line must be safe to print.
func FuzzTap(f *testing.F) {
	r := record(f)
	r.headers(":path", "/a/b", "grpc-timeout", "1S")
	r.ok(r.WriteData(1, true, append(prefixed("hi"), prefixed("there")...)))
	r.ok(r.WriteGoAway(1, http2.ErrCodeInternal, []byte("debug")))
	f.Add(r.Bytes(), uint8(3), false)
	f.Add([]byte(http2.ClientPreface+r.String()), uint8(200), true)
	f.Add([]byte("\x16\x03\x01"), uint8(1), true)
	f.Fuzz(func(t *testing.T, data []byte, size uint8, toServer bool) {
		reader, writer := (*Tap).Client, (*Tap).Server
		if toServer {
			reader, writer = writer, reader
		}
		var atReader, atWriter lines
		pieces := slices.Collect(slices.Chunk(data, int(size)+1))
		got, err := io.ReadAll(reader(New(&atReader), connOf(pieces...)))
		require.NoError(t, err)
		require.Equal(t, string(data), string(got))

		c := new(fakeConn)
		n, err := writer(New(&atWriter), c).Write(data)
		require.NoError(t, err)
		require.Equal(t, len(data), n)
		require.Equal(t, string(got), c.out.String())

		require.Equal(t, atWriter.untimed(), atReader.untimed())
		for line := range strings.Lines(atReader.untimed()) {
			for _, char := range strings.TrimSuffix(line, "\n") {
				require.True(t, strconv.IsPrint(char), line)
			}
		}
	})
}
