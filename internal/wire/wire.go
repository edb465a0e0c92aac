// Package wire shows the HTTP/2 frames of a gRPC connection as they pass.
//
// A [Tap] wraps a [net.Conn]. It decodes inside Read and Write, in the
// goroutine that called them, and passes on every byte as it is.
//
//	0s C->S HEADERS    stream=1   len=62    :path=/echo.v1.Echo/Down
//	0s C->S DATA       stream=1   len=17    END_STREAM message=12B
//
// A line holds the time since [New], the direction, the frame's type, its
// stream, the length of its payload in bytes, its flags and what matters in
// it. END_HEADERS is left out as noise: where it is missing, a CONTINUATION
// follows. Of the metadata only :path, :status and gRPC's own grpc-timeout,
// grpc-encoding, grpc-status and grpc-message are shown, as they stand on
// the wire; the rest may hold secrets. The second and later connections of
// a Tap are marked #2, #3 and so on.
//
// In a DATA frame, message=12B is a whole gRPC message of 12 bytes, without
// its prefix of 5. One that spans frames shows how far it came:
// message=16379/50000B, then message=32763/50000B.
//
// What the peer wrote is escaped, cut after 64 bytes, and at most 8 items
// of a frame are shown, so that it cannot attack the terminal.
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

// A Tap prints the HTTP/2 frames of the connections that it watches.
// Set its fields before the first connection. Make one with [New].
type Tap struct {
	// Out gets one Write a line. A Write that fails is ignored; one that
	// blocks delays every connection of the Tap.
	Out io.Writer

	// StreamsOnly leaves out the frames of the connection itself (those
	// of stream 0) and every WINDOW_UPDATE. What remains has a stable
	// order within a stream and a direction; those frames do not.
	StreamsOnly bool

	start time.Time
	mu    sync.Mutex // guards conns, the decoders, and writes to Out
	conns int
}

// New returns a Tap that prints to out. Its clock starts now.
func New(out io.Writer) *Tap {
	return &Tap{Out: out, start: time.Now()}
}

// Client returns c, watched, as the client sees it: what it writes is C->S.
//
// A frame is printed when its last byte passes: just before it is written,
// or just after it was read, so that no answer is printed above its
// question. Where the Write then fails, a line says so.
//
// Bytes that are not HTTP/2, or a frame or a header above 1 MiB, make the
// Tap say so once and stay quiet about that direction. The bytes still
// pass.
//
// As in gRPC, one goroutine may read while one writes. The connection has
// the methods of [net.Conn] and no other, such as CloseWrite.
func (t *Tap) Client(c net.Conn) net.Conn {
	return t.watch(c, newDecoder("S->C", ""), newDecoder("C->S", http2.ClientPreface))
}

// Server returns c, watched, as the server sees it: what it writes is S->C.
// All else is as for [Tap.Client].
func (t *Tap) Server(c net.Conn) net.Conn {
	return t.watch(c, newDecoder("C->S", http2.ClientPreface), newDecoder("S->C", ""))
}

// Dialer returns a dial function for [google.golang.org/grpc.WithContextDialer]
// whose connections are watched as by [Tap.Client]. An error of dial is
// returned as it is.
func (t *Tap) Dialer(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return t.Client(c), nil
	}
}

func (t *Tap) watch(c net.Conn, in, out *decoder) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns++
	w := &conn{Conn: c, tap: t, in: in, out: out}
	if t.conns > 1 {
		w.mark = fmt.Sprintf("#%d ", t.conns)
	}
	return w
}

// A conn is a connection that a Tap watches.
type conn struct {
	net.Conn
	tap     *Tap
	mark    string // "#2 " for the second connection of the Tap
	in, out *decoder
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.show(c.in, p[:n])
	return n, err
}

// Write shows p first: once the bytes are out, the answer may be read, and
// printed, before Write returns.
func (c *conn) Write(p []byte) (int, error) {
	shown := c.show(c.out, p)
	n, err := c.Conn.Write(p)
	if n < len(p) {
		c.unsent(n, len(p), shown)
	}
	return n, err
}

// show decodes p, prints its frames, and reports whether there were any
// to print.
func (c *conn) show(d *decoder, p []byte) (shown bool) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	if d.quiet {
		return false
	}
	err := d.feed(p, func(h http2.FrameHeader, what string) {
		if c.tap.StreamsOnly && (h.StreamID == 0 || h.Type == http2.FrameWindowUpdate) {
			return
		}
		shown = true
		c.printFrame(d, h, what)
	})
	if err != nil {
		c.stop(d, err.Error())
	}
	return shown
}

// unsent takes back, in words, the frames of a Write that failed. Where
// none was shown there is nothing to take back.
func (c *conn) unsent(n, size int, shown bool) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	if shown && !c.out.quiet {
		c.stop(c.out, fmt.Sprintf("the write failed: only %d of the last %dB were sent", n, size))
	}
	c.out.quiet = true
}

func (c *conn) stop(d *decoder, why string) {
	d.quiet = true
	c.print(d, c.mark+why+"; no more frames are shown")
}

func (c *conn) printFrame(d *decoder, h http2.FrameHeader, what string) {
	width := len("WINDOW_UPDATE")
	if c.tap.StreamsOnly {
		width = len("RST_STREAM")
	}
	c.print(d, fmt.Sprintf("%-*s stream=%-3d len=%-5d %s%s",
		width, h.Type, h.StreamID, h.Length, c.mark, what))
}

func (c *conn) print(d *decoder, text string) {
	line := fmt.Sprintf("%8s %s %s", round(time.Since(c.tap.start)), d.name, text)
	// The connection matters more than its picture: no error of Out may
	// reach it.
	_, _ = c.tap.Out.Write([]byte(strings.TrimRight(line, " ") + "\n"))
}

// round keeps three digits of d, but a microsecond at least and a second at
// most, so that the column stays narrow.
func round(d time.Duration) time.Duration {
	unit := time.Microsecond
	for unit < time.Second && d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
