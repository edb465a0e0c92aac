package errortexts

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// proxies are what calls meet at proxies, net/http and other servers.
var proxies = []text{
	{
		shows: `gRPC requires HTTP/2`,
		who:   "your client or a proxy",
		fix: "A request of HTTP/1.1 reached a gRPC server that runs behind `net/http`. A proxy must speak HTTP/2 " +
			"to the server, too.",
		produce: func(t *testing.T) string {
			return post(t, "application/grpc")
		},
	},
	{
		shows: `invalid gRPC request content-type "application/json"`,
		who:   "your client",
		fix: "A browser, curl or another HTTP client called a gRPC method. Use a gRPC client, or set the content " +
			"type `application/grpc`.",
		produce: func(t *testing.T) string {
			return post(t, "application/json")
		},
	},
	{
		shows: `rpc error: code = Unavailable desc = client disconnected`,
		who:   "your client, a proxy or your server",
		fix: "In a handler behind `net/http`: the connection has closed, usually because the client closed it. Return the error: " +
			"{ignored-context}.",
		produce: clientDisconnected,
	},
	{
		shows: `rpc error: code = Canceled desc = stream terminated by RST_STREAM with error code: CANCEL`,
		who:   "a proxy or another server",
		fix: "If the context that you passed to the call has no error, nobody here canceled: the other side " +
			"reset the stream, for example because a proxy gave up. (`stream.Context()` does not tell: it ends " +
			"with every stream.) Open a new stream: {05-cancellation#come-back}.",
		produce: reset(http2.ErrCodeCancel),
	},
	{
		shows: `rpc error: code = Internal desc = server closed the stream without sending trailers`,
		who:   "a proxy",
		fix: "The stream ended without a status: for example, a proxy does not pass trailers on. " +
			"The call may have succeeded.",
		produce: answering(header, func(f *http2.Framer, stream uint32) { _ = f.WriteData(stream, true, nil) }),
	},
	{
		shows: `rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR`,
		who:   "a proxy or your server",
		fix: "Look at the time that the stream lived. 1. It is always the same: the server runs behind `net/http`, and its `WriteTimeout` " +
			"ended the stream: lift it for gRPC: {http-server-timeout}. Or a proxy limits the time of a stream. 2. It is the " +
			"same since the last message: a proxy has an idle timeout. Send messages regularly, because a proxy answers keepalive " +
			"pings itself: {heartbeat-not-ping}. 3. It is neither: look for a server that ended behind a proxy: " +
			"{07-production/proxies#from-the-error-text-to-the-culprit}. 4. No message has arrived, or each one: the header " +
			"or the trailers of the server may be larger than the client allows: raise `grpc.WithMaxHeaderListSize`.",
		produce: func(t *testing.T) string {
			return countTCP(t, h2c(t, grpcServer(pitfalltest.Idle()), 100*time.Millisecond))
		},
	},
	{
		shows:   `rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: PROTOCOL_ERROR`,
		who:     "a proxy or another server",
		fix:     "The other side says that this call broke the rules of HTTP/2. Call the server without the proxy, and compare.",
		produce: reset(http2.ErrCodeProtocol),
	},
	{
		shows: `rpc error: code = Internal desc = unexpected EOF`,
		who:   "a proxy or another server",
		fix: "The stream ended inside a message. Continue after " +
			"the last message that `Recv` returned: {05-cancellation#come-back}.",
		produce: answering(header, func(f *http2.Framer, stream uint32) {
			_ = f.WriteData(stream, false, []byte{0, 0, 0, 0, 9})
			writeHeaders(f, stream, true, "grpc-status", "0")
		}),
	},
	{
		shows: `rpc error: code = ResourceExhausted desc = stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM`,
		who:   "a proxy or another server",
		fix: "The other side says that you load it too much. Open fewer streams, and wait " +
			"between attempts: {05-cancellation#come-back}.",
		produce: reset(http2.ErrCodeEnhanceYourCalm),
	},
	{
		shows: `rpc error: code = Unavailable desc = stream terminated by RST_STREAM with error code: REFUSED_STREAM`,
		who:   "a proxy or another server",
		fix: "The other side has not begun to process the call. Without a retry policy, grpc-go has " +
			"sent it at most twice. Call again later: {05-cancellation#come-back}.",
		produce: reset(http2.ErrCodeRefusedStream),
	},
	{
		shows: `rpc error: code = Unknown desc =`,
		who:   "a proxy or your server",
		fix: "1. The trailers have no `grpc-status`: look for a proxy that changes them, or answers itself. 2. The handler returned an error " +
			"without a text: {plain-error}.",
		produce: answering(header, func(f *http2.Framer, stream uint32) { writeHeaders(f, stream, true, "x", "y") }),
	},
}

func TestProxy_ResetsAStreamAtItsWriteTimeout(t *testing.T) {
	server := h2c(t, grpcServer(pitfalltest.Idle()), 0)
	got := countTCP(t, proxy(t, server, 100*time.Millisecond))
	require.True(t, strings.HasSuffix(got, "RST_STREAM with error code: INTERNAL_ERROR"), got)
}

func TestRefusedStream_IsTriedTwice(t *testing.T) {
	for code, want := range map[http2.ErrCode]int32{http2.ErrCodeRefusedStream: 2, http2.ErrCodeCancel: 1} {
		var calls atomic.Int32
		answering(func(f *http2.Framer, stream uint32) {
			calls.Add(1)
			_ = f.WriteRSTStream(stream, code)
		})(t)
		require.Equal(t, want, calls.Load(), code)
	}
}

func TestClientStream_ContextEndsWithEveryStream(t *testing.T) {
	for _, end := range []error{nil, status.Error(codes.NotFound, "no")} {
		synctest.Test(t, func(t *testing.T) {
			stream := openEcho(t, pitfalltest.Dial(t, &service.Server{OnEcho: func(echoServer) error { return end }}))
			_, err := stream.Recv()
			require.Error(t, err)
			require.ErrorIs(t, stream.Context().Err(), context.Canceled)
			require.NoError(t, t.Context().Err(), "that the client passed to the call")
		})
	}
}

// grpcServer returns a server with s, for net/http to call.
func grpcServer(s *service.Server) *grpc.Server {
	server := grpc.NewServer()
	s.Register(server)
	return server
}

// reset returns a producer of the error of a call whose stream is reset.
func reset(code http2.ErrCode) func(*testing.T) string {
	return answering(func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, code) })
}

// answering returns a producer of the error of a call that is answered with
// these frames.
func answering(answers ...func(f *http2.Framer, stream uint32)) func(*testing.T) string {
	return func(t *testing.T) string {
		return countTCP(t, framing(t, func(f *http2.Framer, stream uint32, _ net.Conn) {
			for _, answer := range answers {
				answer(f, stream)
			}
		}))
	}
}

func header(f *http2.Framer, stream uint32) {
	writeHeaders(f, stream, false, ":status", "200", "content-type", "application/grpc")
}

// post returns what a gRPC server answers to a request of HTTP/1.1.
func post(t *testing.T, contentType string) string {
	addr := h2c(t, grpcServer(&service.Server{}), 0)
	response, err := http.Post("http://"+addr+"/pitfalls.v1.PitfallService/Ping", contentType, strings.NewReader(""))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// clientDisconnected returns the error of Recv in a handler behind net/http
// whose client has left. Recv chooses at random between this error and others.
func clientDisconnected(t *testing.T) (got string) {
	begun, met := make(chan bool), make(chan error)
	addr := h2c(t, grpcServer(&service.Server{OnEcho: func(stream echoServer) error {
		begun <- true
		<-stream.Context().Done()
		runtime.Gosched() // to the goroutine that reads
		_, err := stream.Recv()
		met <- err
		return nil
	}}), 0)
	for range 1000 {
		conn, err := grpc.NewClient(addr, withInsecure)
		require.NoError(t, err)
		_, err = pitfallsv1.NewPitfallServiceClient(conn).Echo(t.Context())
		require.NoError(t, err)
		<-begun
		require.NoError(t, conn.Close())
		if got = (<-met).Error(); strings.HasSuffix(got, "client disconnected") {
			break
		}
	}
	return got
}
