package memservertest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// An HTTPServer is an [http.Server] that serves in memory and ends with its
// test. Its methods may be called concurrently.
type HTTPServer struct {
	listener *bufconn.Listener
	limit    *limit
}

// ServeHTTP serves with s in memory, until the test ends. If s.Protocols is
// nil, ServeHTTP sets it to HTTP/2 without TLS, which gRPC needs. If the test
// lasts longer than [Limit], ServeHTTP fails it, as [Serve] does.
func ServeHTTP(t testing.TB, s *http.Server) *HTTPServer {
	t.Helper()
	if s.Protocols == nil {
		s.Protocols = new(http.Protocols)
		s.Protocols.SetUnencryptedHTTP2(true)
	}
	h := &HTTPServer{bufconn.Listen(64 << 10), new(limit)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(h.listener) }()
	t.Cleanup(func() {
		t.Helper()
		if err := errors.Join(s.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the HTTP server ended with an error: %v", err)
		}
	})
	timer := time.AfterFunc(Limit, func() { h.limit.exceeded(t) })
	t.Cleanup(func() { timer.Stop() })
	return h
}

// DialContext connects to the server. It ignores the address.
func (h *HTTPServer) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	return h.listener.DialContext(ctx)
}

// Dial returns a connection to the server, which is closed when the test
// ends.
func (h *HTTPServer) Dial(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{
		grpc.WithContextDialer(h.DialContext),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///in-process", opts...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	h.limit.add(conn)
	closeAfter(t, conn, "the connection")
	return conn
}
