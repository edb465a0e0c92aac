package cancellation

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/golden"
)

// What a proxy answers in the place of a server arrives as a status.
func TestRetryable_JudgesHTTPAnswers(t *testing.T) {
	answers := []struct {
		http      int
		code      codes.Code
		retryable bool
	}{
		{200, codes.Unknown, true},
		{400, codes.Internal, true},
		{401, codes.Unauthenticated, false},
		{403, codes.PermissionDenied, false},
		{404, codes.Unimplemented, false},
		{429, codes.Unavailable, true},
		{500, codes.Unknown, true},
		{502, codes.Unavailable, true},
		{503, codes.Unavailable, true},
		{504, codes.Unavailable, true},
	}
	table := "| the proxy answers" + judgments
	for _, tt := range answers {
		table += judgment(fmt.Sprintf("HTTP %d %s", tt.http, http.StatusText(tt.http)), tt.code, tt.retryable)
		t.Run(http.StatusText(tt.http), func(t *testing.T) {
			proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(tt.http)
				_, _ = io.WriteString(w, "<h1>from the proxy</h1>")
			}))
			proxy.Config.Protocols = new(http.Protocols)
			proxy.Config.Protocols.SetUnencryptedHTTP2(true)
			proxy.Start()
			defer proxy.Close()
			requireRetryable(t, proxy.Listener, tt.code, tt.retryable, "from the proxy")
		})
	}
	golden.Section(t, "../docs/hops.md", "HTTP answers", table)
}

func TestRetryable_JudgesResets(t *testing.T) {
	resets := []struct {
		reset     http2.ErrCode
		code      codes.Code
		retryable bool
	}{
		{http2.ErrCodeNo, codes.Internal, true},
		{http2.ErrCodeProtocol, codes.Internal, true},
		{http2.ErrCodeInternal, codes.Internal, true},
		{http2.ErrCodeFlowControl, codes.ResourceExhausted, false},
		{http2.ErrCodeRefusedStream, codes.Unavailable, true},
		{http2.ErrCodeCancel, codes.Canceled, true}, // though nobody here canceled
		{http2.ErrCodeEnhanceYourCalm, codes.ResourceExhausted, false},
		{http2.ErrCodeInadequateSecurity, codes.PermissionDenied, false},
	}
	table := "| code of the `RST_STREAM`" + judgments
	for _, tt := range resets {
		table += judgment("`"+tt.reset.String()+"`", tt.code, tt.retryable)
		t.Run(tt.reset.String(), func(t *testing.T) {
			listener := listen(t, func(_ net.Conn, framer *http2.Framer, frame http2.Frame) {
				if data, ok := frame.(*http2.DataFrame); ok {
					_ = framer.WriteRSTStream(data.StreamID, tt.reset)
				}
			})
			requireRetryable(t, listener, tt.code, tt.retryable, tt.reset.String())
		})
	}
	golden.Section(t, "../docs/hops.md", "resets", table)
}

// judgments is the head of a table of docs/hops.md.
const judgments = " | `Recv` returns | `Follow` |\n|---|---|---|\n"

// judgment returns a row of the table.
func judgment(answer string, code codes.Code, retryable bool) string {
	follow := "gives up"
	if retryable {
		follow = "retries"
	}
	return fmt.Sprintf("| %s | `%v` | %s |\n", answer, code, follow)
}

// A process that ends before it has read all bytes resets its connections.
func TestReset_IsUnavailableOverTCP(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows words the error in another way")
	}
	listener := listen(t, func(conn net.Conn, _ *http2.Framer, frame http2.Frame) {
		if _, ok := frame.(*http2.DataFrame); ok {
			_ = conn.(*net.TCPConn).SetLinger(0) // Close sends RST
			_ = conn.Close()
		}
	})
	requireRetryable(t, listener, codes.Unavailable, true, "connection reset by peer")
}

// listen starts a TCP server that speaks HTTP/2 and calls handle for each
// frame that it receives.
func listen(t *testing.T, handle func(net.Conn, *http2.Framer, http2.Frame)) net.Listener {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveFrames(conn, handle)
		}
	}()
	return listener
}

func serveFrames(conn net.Conn, handle func(net.Conn, *http2.Framer, http2.Frame)) {
	defer conn.Close()
	_, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
	framer := http2.NewFramer(conn, conn)
	for err = errors.Join(err, framer.WriteSettings()); err == nil; {
		var frame http2.Frame
		if frame, err = framer.ReadFrame(); err == nil {
			handle(conn, framer, frame)
		}
	}
}

// requireRetryable calls Watch, and requires how it fails.
func requireRetryable(t *testing.T, server net.Listener, code codes.Code, retryable bool, message string) {
	t.Helper()
	conn, err := grpc.NewClient(server.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	_, err = take(t, Ticks(t.Context(), tickerv1.NewTickerServiceClient(conn), new(tickerv1.WatchRequest), time.Minute), 1)
	require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
	require.ErrorContains(t, err, message)
	require.Equal(t, retryable, Retryable(err))
}
