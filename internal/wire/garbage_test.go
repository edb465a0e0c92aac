package wire

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestBytesThatAreNotHTTP2PassAndAreNamedOnce(t *testing.T) {
	good := newRecording(t)
	good.settings()
	after := func(write func(r *recording)) string {
		r := newRecording(t)
		r.settings()
		write(r)
		r.ok(r.WritePing(false, [8]byte{}))
		return r.String()
	}
	for _, c := range []struct{ name, bytes, want string }{
		{"HTTP/1", "HTTP/1.1 400 Bad Request\r\n\r\n", "this is not HTTP/2; "},
		{"one byte", "h", "this is not HTTP/2; "},
		{"a PING first", "\x00\x00\x08\x06\x00\x00\x00\x00\x00", "this is not HTTP/2; "},
		{"TLS alert", "\x15\x03\x03\x00\x02\x02\x46", "this is not HTTP/2 but looks like TLS, which hides the frames; "},
		{"huge frame", good.String() + "\x10\x00\x01\x00\x00\x00\x00\x00\x01", "a frame of 1048577B is above the limit of 1048576B; "},
		{"DATA on stream 0", after(func(r *recording) { r.ok(r.WriteData(0, false, nil)) }),
			"this is not a valid frame: DATA frame with stream ID 0; "},
		{"DATA among headers", after(func(r *recording) {
			r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}))
			r.ok(r.WriteData(1, false, nil))
		}), "this is not a valid frame: got DATA for stream 1; expected CONTINUATION following HEADERS for stream 1; "},
		{"bad HPACK", after(func(r *recording) {
			r.ok(r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff}, EndHeaders: true}))
		}), "the headers of stream 1 cannot be decoded: decoding error: truncated headers; "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := show(t, []byte(c.bytes), []byte("and so on"), []byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
			require.Equal(t, 1, strings.Count(got, "no more frames are shown\n"), got)
			require.True(t, strings.HasSuffix(got, "\nS->C "+c.want+"no more frames are shown\n"), got)
		})
	}
}

func TestAClientThatSpeaksTLSIsNamedOnce(t *testing.T) {
	s, c := new(screen), new(script)
	conn := New(s).Client(c)
	for _, p := range []string{"\x16", "\x03\x01\x00\xa5\x01", http2.ClientPreface} {
		n, err := conn.Write([]byte(p))
		require.NoError(t, err)
		require.Equal(t, len(p), n)
	}
	require.Equal(t, "\x16\x03\x01\x00\xa5\x01"+http2.ClientPreface, c.wrote.String())
	require.Equal(t, []string{
		"C->S this is not HTTP/2 but looks like TLS, which hides the frames; no more frames are shown\n",
	}, untimed(t, s))
}

func TestTheSameLinesArePrintedHoweverTheBytesAreCut(t *testing.T) {
	r := newRecording(t)
	r.settings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	r.headers(1, false, ":status", "200", "x", strings.Repeat("y", 300))
	r.ok(r.WriteDataPadded(1, false, message5("hello"), make([]byte, 9)))
	r.ok(r.WriteData(1, false, message5("good")[:2]))
	r.ok(r.WriteData(1, false, append(message5("good")[2:], message5("bye")...)))
	r.headers(1, true, "grpc-status", "5", "grpc-message", "gone", "x", strings.Repeat("y", 300))
	r.ok(r.WriteGoAway(1, http2.ErrCodeNo, []byte("done")))
	r.WriteString("\x00\x00\x00\x00\x00\x00\x00\x00\x00garbage")
	want := show(t, r.Bytes())
	require.Equal(t, 8, strings.Count(want, "\n")-1, want)
	for i := range r.Len() {
		require.Equal(t, want, show(t, r.Bytes()[:i+1], r.Bytes()[i+1:]), "cut at %d", i)
	}
	for range 200 {
		require.Equal(t, want, show(t, cut(r.Bytes(), rand.N(20)+1)...))
	}
}

// cut returns p in pieces of at most most bytes.
func cut(p []byte, most int) (pieces [][]byte) {
	for len(p) > 0 {
		n := min(rand.N(most)+1, len(p))
		pieces, p = append(pieces, p[:n]), p[n:]
	}
	return pieces
}

func TestAFailedWriteIsTakenBackInWords(t *testing.T) {
	r := newRecording(t)
	r.settings()
	s := new(screen)
	conn := New(s).Server(&script{refuse: 5})
	n, err := conn.Write(r.Bytes())
	require.EqualError(t, err, "refused")
	require.Equal(t, 4, n)
	_, err = conn.Write(r.Bytes())
	require.Error(t, err)
	require.Equal(t, []string{
		"S->C SETTINGS      stream=0   len=0\n",
		"S->C the write failed: only 4 of the last 9B were sent; no more frames are shown\n",
	}, untimed(t, s))
}

// An answer may be read before the Write of its question returns.
func TestAnAnswerIsNeverPrintedAboveItsQuestion(t *testing.T) {
	r := newRecording(t)
	r.settings()
	s, c := new(screen), &hasty{script: script{reads: [][]byte{slices.Clone(r.Bytes())}}}
	c.watched = New(s).Client(c)
	_, err := c.watched.Write(append([]byte(http2.ClientPreface), r.Bytes()...))
	require.NoError(t, err)
	require.Equal(t, []string{
		"C->S SETTINGS      stream=0   len=0\n",
		"S->C SETTINGS      stream=0   len=0\n",
	}, untimed(t, s))
}

// A hasty connection is read before its Write returns.
type hasty struct {
	script
	watched net.Conn
}

func (c *hasty) Write(p []byte) (int, error) {
	if _, err := io.ReadAll(c.watched); err != nil {
		return 0, err
	}
	return c.script.Write(p)
}

func TestAnOutThatFailsDoesNotBreakTheConnection(t *testing.T) {
	r := newRecording(t)
	r.settings()
	got, err := io.ReadAll(New(broken{}).Client(&script{reads: [][]byte{r.Bytes()}}))
	require.NoError(t, err)
	require.Len(t, got, 9)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestConnectionsShareATapLineByLine(t *testing.T) {
	r := newRecording(t)
	r.settings()
	for range 200 {
		r.headers(1, false, ":status", "200")
	}
	s := new(screen)
	tap := New(s)
	var wg sync.WaitGroup
	for range 3 {
		conn := tap.Client(&script{reads: cut(r.Bytes(), 50)})
		wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	}
	wg.Wait()
	lines := untimed(t, s) // fails where a Write is not one line
	require.Len(t, lines, 3*201)
	require.Len(t, s.only("S->C HEADERS       stream=1   len=1     #2 :status=200\n"), 200)
	require.Len(t, s.only("S->C HEADERS       stream=1   len=1     #3 :status=200\n"), 200)
	require.Len(t, s.only("S->C HEADERS       stream=1   len=1     :status=200\n"), 200)
}
