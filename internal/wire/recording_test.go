package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A recording is what a server sends, made by hand.
type recording struct {
	t testing.TB
	bytes.Buffer
	*http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
}

func newRecording(t testing.TB) *recording {
	t.Helper()
	r := &recording{t: t}
	r.Framer = http2.NewFramer(&r.Buffer, nil)
	r.AllowIllegalWrites = true
	r.enc = hpack.NewEncoder(&r.block)
	return r
}

func (r *recording) settings(s ...http2.Setting) { r.ok(r.WriteSettings(s...)) }

func (r *recording) ok(err error) {
	r.t.Helper()
	require.NoError(r.t, err)
}

func (r *recording) headers(stream uint32, end bool, fields ...string) {
	r.ok(r.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: r.encode(fields...), EndStream: end, EndHeaders: true,
	}))
}

func (r *recording) encode(fields ...string) []byte {
	r.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		r.ok(r.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	return bytes.Clone(r.block.Bytes())
}

// message5 is s behind gRPC's prefix of 5 bytes.
func message5(s string) []byte {
	return append([]byte{0, 0, 0, 0, byte(len(s))}, s...)
}

// show returns the lines of a client that reads the pieces, without their
// time, and fails if the bytes do not pass as they are.
func show(t *testing.T, pieces ...[]byte) string {
	t.Helper()
	s := new(screen)
	got, err := io.ReadAll(New(s).Client(&script{reads: slices.Clone(pieces)}))
	require.NoError(t, err)
	require.Equal(t, string(bytes.Join(pieces, nil)), string(got))
	return "\n" + strings.Join(untimed(t, s), "")
}

func untimed(t *testing.T, s *screen) []string {
	t.Helper()
	lines := s.only("")
	for i, line := range lines {
		require.Regexp(t, `^[ 0-9.µmsh]{8} [!-~]->[!-~ ]*\n$`, line)
		lines[i] = string([]rune(line)[9:])
	}
	return lines
}

// details returns what the lines of one stream end with.
func details(t *testing.T, data []byte, stream string) (got []string) {
	t.Helper()
	for line := range strings.Lines(show(t, data)) {
		if strings.Contains(line, stream) {
			_, after, _ := strings.Cut(line, "len=")
			_, after, _ = strings.Cut(after, " ")
			got = append(got, strings.TrimSpace(after))
		}
	}
	return got
}

// A script is a connection whose reads are known before.
type script struct {
	net.Conn
	reads  [][]byte
	wrote  bytes.Buffer
	refuse int // of the bytes of each Write
}

func (c *script) Read(p []byte) (int, error) {
	if len(c.reads) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.reads[0])
	if c.reads[0] = c.reads[0][n:]; len(c.reads[0]) == 0 {
		c.reads = c.reads[1:]
	}
	return n, nil
}

func (c *script) Write(p []byte) (int, error) {
	n := max(0, len(p)-c.refuse)
	c.wrote.Write(p[:n])
	if n < len(p) {
		return n, errors.New("refused")
	}
	return n, nil
}
