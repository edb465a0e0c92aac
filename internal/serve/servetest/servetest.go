// Package servetest runs a [serve.Server] in memory, in a test.
package servetest

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/internal/serve"
)

// A Server is a running server. Its methods may be called concurrently.
type Server struct {
	*serve.Server
	Listener *bufconn.Listener

	signal context.CancelFunc
	ended  chan struct{}
	err    error // after ended is closed
	seen   atomic.Bool
}

// Start serves s until [Server.Signal] is called or the test ends. When the
// test ends, Start waits until s is drained, and fails the test if that ends
// with an error that the test has not seen from [Server.Wait].
func Start(t testing.TB, s *serve.Server) *Server {
	t.Helper()
	ctx, signal := context.WithCancel(context.Background())
	r := &Server{Server: s, Listener: bufconn.Listen(64 << 10), signal: signal, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = s.ServeUntil(ctx, r.Listener)
	}()
	t.Cleanup(func() {
		signal()
		<-r.ended
		if r.err != nil && !r.seen.Load() {
			t.Errorf("the server ended with an error: %v", r.err)
		}
	})
	return r
}

// Signal ends the context of ServeUntil, as SIGTERM does in a command. It does
// not wait.
func (s *Server) Signal() { s.signal() }

// Wait waits until the server has ended, and returns the error of
// ServeUntil.
func (s *Server) Wait() error {
	<-s.ended
	s.seen.Store(true)
	return s.err
}

// Dial returns a connection to the server, which is closed when the test
// ends.
func (s *Server) Dial(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{
		grpc.WithContextDialer(s.DialContext),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///in-process", opts...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// DialContext connects to the server. It ignores the address.
func (s *Server) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	return s.Listener.DialContext(ctx)
}
