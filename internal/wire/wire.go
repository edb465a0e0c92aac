// Package wire prints the HTTP/2 frames of gRPC connections.
//
// A [Tap] wraps a [net.Conn] and decodes the frames inside Read and Write.
// The bytes themselves pass unchanged. One line describes one frame:
//
//	0s C->S HEADERS    stream=1   len=62    :path=/echo.v1.Echo/Down
//	0s C->S DATA       stream=1   len=17    END_STREAM message=12B
//
// The columns are the time since [New], the direction (C->S is from the
// client to the server), the type of the frame, its stream, the length of
// its payload in bytes, and details. The lines of the second connection of
// a Tap have the mark #2 before the details, those of the third #3, and so
// on.
//
// The details begin with the flags END_STREAM and ACK. The flag END_HEADERS
// is not printed: a HEADERS frame without it is followed by a CONTINUATION
// frame. Only the header fields :path, :status, grpc-timeout,
// grpc-encoding, grpc-status and grpc-message are printed, because other
// metadata may contain secrets. Their values are printed as they are
// encoded on the wire. A value with spaces or unprintable characters is
// quoted.
//
// In a DATA frame, message=12B is a complete gRPC message of 12 bytes, not
// counting its prefix of 5 bytes. A message that spans several frames shows
// how much of it has been sent: message=16379/50000B in the first frame,
// then message=32763/50000B.
package wire

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// A Tap prints the HTTP/2 frames of the connections that it watches. Use
// [New] to create a Tap.
//
// A Tap may be used by several connections at once. Its methods may be
// called concurrently. Its fields must be set before the first connection
// and must not change afterward.
type Tap struct {
	// Out receives one Write per line, and never two at the same time. An
	// error of Write is ignored. A Write that blocks delays every
	// connection of the Tap.
	Out io.Writer

	// StreamsOnly leaves out the frames of stream 0, which concern the
	// whole connection, and every WINDOW_UPDATE. The position of these
	// frames varies between runs. The other frames of one stream and one
	// direction have the same order in each run.
	StreamsOnly bool

	start time.Time
	mu    sync.Mutex // guards conns, all decoders, and Out
	conns int
}

// New returns a Tap that prints to out. Times are counted from this call.
func New(out io.Writer) *Tap {
	return &Tap{Out: out, start: time.Now()}
}

// Client wraps the client's end of a connection: bytes that are written to
// the returned connection are C->S, and bytes that are read from it S->C.
//
// A frame that is written is printed before it is passed on, and a frame
// that is read is printed when its last byte has arrived. A response is
// therefore never printed above its request. A frame is also printed if
// writing it fails.
//
// If the bytes of one direction are not HTTP/2, or a frame or a header field
// has more than 1 MiB, the Tap prints that once and then nothing more for
// this direction. The bytes still pass.
//
// One goroutine may read from the returned connection while another writes
// to it. The connection has the methods of [net.Conn] only, even if c has
// others, such as CloseWrite.
func (t *Tap) Client(c net.Conn) net.Conn {
	return t.watch(c, newDecoder("S->C", ""), newDecoder("C->S", http2.ClientPreface))
}

// Server is like [Tap.Client] for the server's end of a connection: bytes
// that are written to the returned connection are S->C, and bytes that are
// read from it C->S.
func (t *Tap) Server(c net.Conn) net.Conn {
	return t.watch(c, newDecoder("C->S", http2.ClientPreface), newDecoder("S->C", ""))
}

// Dialer returns a function for [google.golang.org/grpc.WithContextDialer]
// that connects with dial and wraps the connection with [Tap.Client]. It
// returns an error of dial unchanged.
func (t *Tap) Dialer(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return t.Client(c), nil
	}
}

func (t *Tap) watch(c net.Conn, in, out *decoder) net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns++
	if t.conns > 1 {
		in.mark = fmt.Sprintf("#%d ", t.conns)
		out.mark = in.mark
	}
	return &conn{Conn: c, tap: t, in: in, out: out}
}

// A conn is a connection that a Tap watches.
type conn struct {
	net.Conn
	tap     *Tap
	in, out *decoder
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tap.show(c.in, p[:n])
	return n, err
}

// Write prints p before it passes p on. In the other order, another
// goroutine could read and print the response before this one prints the
// request.
func (c *conn) Write(p []byte) (int, error) {
	c.tap.show(c.out, p)
	return c.Conn.Write(p)
}

// show prints the frames that p completes.
func (t *Tap) show(d *decoder, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.failed {
		return
	}
	width := len("WINDOW_UPDATE")
	if t.StreamsOnly {
		width = len("RST_STREAM")
	}
	frames, err := d.decode(p)
	for _, f := range frames {
		if t.StreamsOnly && (f.StreamID == 0 || f.Type == http2.FrameWindowUpdate) {
			continue
		}
		t.print(d, "%-*s stream=%-3d len=%-5d %s%s",
			width, f.Type, f.StreamID, f.Length, d.mark, f.details)
	}
	if err != nil {
		d.failed = true
		t.print(d, "%sno more frames are shown: %v", d.mark, err)
	}
}

func (t *Tap) print(d *decoder, format string, args ...any) {
	line := fmt.Sprintf("%8s %s ", round(time.Since(t.start)), d.name) + fmt.Sprintf(format, args...)
	_, _ = io.WriteString(t.Out, strings.TrimRight(line, " ")+"\n")
}

// round rounds d to about three digits, in steps of at least a microsecond
// and at most a second, so that the column stays narrow.
func round(d time.Duration) time.Duration {
	unit := time.Microsecond
	for unit < time.Second && d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
