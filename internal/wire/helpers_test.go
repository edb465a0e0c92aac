package wire

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A recording holds the frames that a server sends. It begins with SETTINGS.
type recording struct {
	t testing.TB
	bytes.Buffer
	*http2.Framer
	hpack *hpack.Encoder
	block bytes.Buffer
}

func record(t testing.TB) *recording {
	t.Helper()
	r := &recording{t: t}
	r.Framer = http2.NewFramer(&r.Buffer, nil)
	r.hpack = hpack.NewEncoder(&r.block)
	r.ok(r.WriteSettings())
	return r
}

func (r *recording) ok(err error) {
	r.t.Helper()
	require.NoError(r.t, err)
}

// headers adds HEADERS on stream 1. The fields are names and values in turn.
func (r *recording) headers(fields ...string) {
	r.t.Helper()
	r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.encode(fields...), EndHeaders: true}))
}

func (r *recording) encode(fields ...string) []byte {
	r.t.Helper()
	r.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		r.ok(r.hpack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	return r.block.Bytes()
}

// details decodes r and returns the details of the frames of stream 1.
func (r *recording) details() (details []string) {
	r.t.Helper()
	frames, err := newDecoder("S->C", "").decode(r.Bytes())
	r.ok(err)
	for _, f := range frames {
		if f.StreamID == 1 {
			details = append(details, f.details)
		}
	}
	return details
}

// prefixed returns text as a gRPC message: behind its prefix of 5 bytes.
func prefixed(text string) []byte {
	return append([]byte{0, 0, 0, 0, byte(len(text))}, text...)
}

// read returns what a Tap prints, without times, when a client reads the
// pieces one by one.
func read(t *testing.T, pieces ...[]byte) string {
	t.Helper()
	var printed lines
	got, err := io.ReadAll(New(&printed).Client(connOf(pieces...)))
	require.NoError(t, err)
	require.Equal(t, string(bytes.Join(pieces, nil)), string(got))
	return printed.untimed()
}

// lines keeps each Write of a Tap.
type lines []string

func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}

// untimed joins the lines, without their first column, after a line break.
func (l *lines) untimed() string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, line := range *l {
		b.WriteString(string([]rune(line)[len("    1.2s "):]))
	}
	return b.String()
}

// A fakeConn reads from in and writes to out.
type fakeConn struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

// connOf returns a connection whose Read returns the pieces one by one.
func connOf(pieces ...[]byte) *fakeConn {
	var in []io.Reader
	for _, p := range pieces {
		in = append(in, bytes.NewReader(p))
	}
	return &fakeConn{in: io.MultiReader(in...)}
}

func (c *fakeConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *fakeConn) Write(p []byte) (int, error) { return c.out.Write(p) }
