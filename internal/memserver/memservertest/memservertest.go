// Package memservertest gives a test a real gRPC client and server that are
// connected in memory, and fails the test if one of them does not end.
package memservertest

import (
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/internal/memserver"
)

// Dial serves what register adds and returns a connection to it. When the
// test ends, Dial closes the connection, stops the server, and waits for its
// handlers.
func Dial(t testing.TB, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	return Serve(t, register).Dial(t)
}

// A Server is an in-process server that ends with its test. Its methods may
// be called concurrently.
type Server struct {
	*memserver.Server
	limit *limit
}

// Serve starts a server with the services that register adds. When the test
// ends, Serve stops the server and waits for its handlers. If the test lasts
// longer than [Limit], Serve fails the test, prints the stacks of the calls
// that are open, and ends them.
func Serve(t testing.TB, register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption) Server {
	t.Helper()
	s := Server{memserver.Serve(register, opts...), new(limit)}
	closeAfter(t, s, "the server")
	timer := time.AfterFunc(Limit, func() { s.limit.exceeded(t); s.Stop() })
	t.Cleanup(func() { timer.Stop() })
	return s
}

// Dial returns a connection to the server, which is closed when the test
// ends.
func (s Server) Dial(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := s.NewClient(opts...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	s.limit.add(conn)
	closeAfter(t, conn, "the connection")
	return conn
}

func closeAfter(t testing.TB, c io.Closer, what string) {
	t.Helper()
	t.Cleanup(func() {
		t.Helper()
		if err := c.Close(); err != nil {
			t.Errorf("%s ended with an error: %v", what, err)
		}
	})
}
