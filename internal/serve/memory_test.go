package serve_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/protobuf/encoding/protowire"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// memory is what the checklist states: how much memory the process of a
// server takes at most while one connection does its worst.
var memory = []struct {
	chapter string
	method  string
	largest int    // bytes, the limit of a request
	request string // whose response the client does not read
	unread  string // that response
	ends    bool   // the client half-closes
	streams int
	atMost  int // MiB, of which an idle server takes 12
}{
	{"01-unary", "/snapshot.v1.SnapshotService/GetSnapshot", 4 << 10, number(1, 10_000), "10,000 lines, 1 MB", true, 100, 400},
	{"02-server-stream", "/logs.v1.LogService/StreamLogs", 64 << 10, number(3, 1), "a log of 64 MiB", true, 100, 400},
	{"03-client-stream", "/upload.v1.UploadService/Upload", 4 << 20, text(1, text(1, name)), "the receipt of an upload", false, 100, 600},
	{"04-bidi", "/chat.v1.ChatService/Chat", 64 << 10, text(2, text(1, name)+text(2, name)), "80 texts in each of 100 rooms", false, 100, 200},
	{"05-cancellation", "/ticker.v1.TickerService/Watch", 64 << 10, number(2, newestTick()-3000), "3,000 ticks", true, 1000, 1000},
	{"06-pitfalls", "/pitfalls.v1.PitfallService/Count", 64 << 10, number(1, 1) + number(2, 5<<20), "a number of 5 MiB", true, 10, 150},
}

// name stands for the number of the stream.
const name = "NAME"

func prefixed(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

// withoutEnd returns a request of that size without its last byte.
func withoutEnd(size int) string { return prefixed(strings.Repeat("x", size))[:size+4] }

// Each server meets three attacks, one after the other: header lists that
// HPACK amplifies, the largest requests, of which the last byte is missing, and
// responses that are not read.
func TestMemory_OfOneConnectionIsLimited(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| Server | Streams | Largest request | Response that is not read | In this test, the process takes at most |")
	fmt.Fprintln(table, "|---|---|---|---|---|")
	for _, tt := range memory {
		fmt.Fprintf(table, "| [%s](../%[1]s/README.md) | %d | %d KiB | %s | %d MiB |\n",
			tt.chapter, tt.streams, tt.largest>>10, tt.unread, tt.atMost)
		t.Run(tt.chapter, func(t *testing.T) {
			if os.Getenv("SLOW") == "" || runtime.GOOS != "linux" { // VmHWM is in /proc
				t.Skip("builds a server and attacks it for some seconds: set SLOW=1 to run it on Linux")
			}
			t.Parallel()
			bin := testproc.Build(t, "../../"+tt.chapter+"/cmd/server") + "/server"
			p, addr := testproc.StartServer(t, bin, arguments(t, tt.chapter)...)
			if tt.chapter == "02-server-stream" {
				p.Type(strings.Repeat(strings.Repeat("x", 16<<10)+"\n", 5000))
			}
			t.Logf("%4d MiB: idle", peak(t, p))
			sendHeaders(t, addr, tt.method, min(tt.streams, 100))
			t.Logf("%4d MiB after header lists", peak(t, p))
			a := attack{url: "http://" + addr + tt.method, streams: tt.streams}
			a.body = func(int) string { return withoutEnd(tt.largest) }
			a.run(t, func() { t.Logf("%4d MiB after requests without their end", peak(t, p)) })
			a.body = func(i int) string {
				return messages(tt.chapter, strings.ReplaceAll(tt.request, name, fmt.Sprintf("%04d", i)))
			}
			a.ends, a.accepted = tt.ends, true
			a.run(t, func() { t.Logf("%4d MiB after unread responses", peak(t, p)) })
			require.LessOrEqual(t, peak(t, p), tt.atMost)
		})
	}
	golden.Section(t, "../../docs/production-checklist.md", "memory", table.String())
}

func arguments(t *testing.T, chapter string) []string {
	switch chapter {
	case "01-unary":
		file := t.TempDir() + "/log"
		line := strings.Repeat("x", 99) + "\n"
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(line, 20_000)), 0o644))
		return []string{"-file", file}
	case "03-client-stream":
		return []string{"-dir", t.TempDir()}
	}
	return nil
}

// messages returns what a stream sends.
func messages(chapter, request string) string {
	if chapter == "04-bidi" {
		return prefixed(request) + strings.Repeat(prefixed(text(3, strings.Repeat("x", 4<<10))), 80)
	}
	return prefixed(request)
}

// sendHeaders opens streams with header lists of 12 MB each.
func sendHeaders(t *testing.T, addr, method string, streams int) {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	client := newRawClient(t, conn)
	for i := range streams {
		client.open(uint32(2*i+1), method, 4000)
	}
	require.NoError(t, client.WritePing(false, [8]byte{}))
	<-client.pong
	require.Equal(t, slices.Repeat([]http2.ErrCode{http2.ErrCodeFrameSize}, streams), client.ended)
	require.NoError(t, conn.Close())
}

// An attack sends requests on the streams of one connection and does not
// read the bodies of the responses.
type attack struct {
	url      string
	streams  int
	body     func(stream int) string
	ends     bool // the requests end with a half-close
	accepted bool // no response may be an error
}

// run calls then when the requests have been sent, and closes the connection.
func (a *attack) run(t *testing.T, then func()) {
	ctx, cancel := context.WithCancel(t.Context())
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{MaxReceiveBufferPerStream: 1}, // byte
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	var sent, ended sync.WaitGroup
	for i := range a.streams {
		sent.Add(1)
		end := &requestEnd{ctx: ctx, ends: a.ends, sent: sync.OnceFunc(sent.Done)}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, io.MultiReader(strings.NewReader(a.body(i)), end))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("TE", "trailers")
		ended.Go(func() {
			resp, err := transport.RoundTrip(req)
			end.sent() // also if the server has refused the request
			if err != nil {
				return // the connection is closed
			}
			defer resp.Body.Close()
			if code := resp.Header.Get("Grpc-Status"); a.accepted && code != "" {
				t.Errorf("%s: status %s %s", a.url, code, resp.Header.Get("Grpc-Message"))
			}
			<-ctx.Done()
		})
	}
	sent.Wait()
	then()
	cancel()
	ended.Wait()
	transport.CloseIdleConnections()
}

// A requestEnd is the end of a request, or the pause in place of an end.
type requestEnd struct {
	ctx  context.Context
	ends bool
	sent func()
}

func (e *requestEnd) Read([]byte) (int, error) {
	e.sent()
	if !e.ends {
		<-e.ctx.Done()
	}
	return 0, io.EOF
}

// peak waits until the most memory that the process has had at one time no
// longer grows, and returns it in MiB.
func peak(t *testing.T, p *testproc.Process) (mib int) {
	t.Helper()
	ticks := time.Tick(50 * time.Millisecond)
	for same := 0; same < 5; same++ {
		<-ticks
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
		require.NoError(t, err)
		_, rest, ok := strings.Cut(string(status), "VmHWM:")
		require.True(t, ok)
		var kib int
		_, err = fmt.Sscan(rest, &kib)
		require.NoError(t, err)
		if kib>>10 > mib {
			mib, same = kib>>10, 0
		}
	}
	return mib
}

func newestTick() uint64 {
	return uint64(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Second)
}

// number and text encode a field of a message.
func number(field protowire.Number, value uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), value))
}

func text(field protowire.Number, value string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), value))
}
