package proxies

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// canceled is what a client sees that has canceled the call itself.
const canceled = "rpc error: code = Canceled desc = context canceled"

// reset is what a client sees when a proxy gives up one stream.
const reset = "rpc error: code = Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR"

// Both sides send a PING when they have received nothing for 10 s, the least
// that grpc-go allows clients.
var (
	serverPings = grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second})
	clientPings = grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second})
)

// Streams that do not end by themselves.
var (
	follow        = &logsv1.LogRequest{Follow: true}
	withBookmarks = &logsv1.LogRequest{Follow: true, Bookmarks: true}
)

// oneEntry is a service whose log has one entry.
func oneEntry() *logs.LogServer {
	log := logs.NewLog(10)
	log.Append("first", false)
	return &logs.LogServer{Log: log}
}

func serve(t *testing.T, service logsv1.LogServiceServer, opts ...grpc.ServerOption) memservertest.Server {
	t.Helper()
	return memservertest.Serve(t, func(r grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(r, service) }, opts...)
}

// serveHTTP serves with s in memory, and returns a client.
func serveHTTP(t *testing.T, s *http.Server) logsv1.LogServiceClient {
	t.Helper()
	return logsv1.NewLogServiceClient(memservertest.ServeHTTP(t, s).Dial(t))
}

// behind returns a client of the server behind the proxy p.
func behind(t *testing.T, p *Proxy, server memservertest.Server, opts ...grpc.DialOption) logsv1.LogServiceClient {
	t.Helper()
	return start(t, p, server).client(t, opts...)
}

// start runs the proxy p in front of the server.
func start(t *testing.T, p *Proxy, server memservertest.Server) front {
	t.Helper()
	p.Upstream = "server"
	if p.Dial == nil {
		p.Dial = server.DialContext
	}
	f := newFront()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, f) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-served)
	})
	return f
}

// A front is the listener, in memory, that clients connect to.
type front struct{ *bufconn.Listener }

func newFront() front { return front{bufconn.Listen(64 << 10)} }

func (f front) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	return f.Listener.DialContext(ctx)
}

func (f front) client(t *testing.T, opts ...grpc.DialOption) logsv1.LogServiceClient {
	t.Helper()
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(f.DialContext),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///front", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return logsv1.NewLogServiceClient(conn)
}

// read receives until the stream ends, and returns how many messages came,
// when the stream ended, and why.
func read(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest,
) (messages int, lived time.Duration, err error) {
	start := time.Now()
	stream, err := c.StreamLogs(ctx, req)
	for err == nil {
		if _, err = stream.Recv(); err == nil {
			messages++
		}
	}
	return messages, time.Since(start), err
}

// endsAfter returns a context that is canceled after d. It has no deadline,
// which the client would send to the server.
func endsAfter(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(d, cancel)
	return ctx
}
