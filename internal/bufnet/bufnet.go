// Package bufnet gives a test a real gRPC client and server that are
// connected in memory, and sees both of them end.
package bufnet

import (
	"io"
	"testing"

	"google.golang.org/grpc"

	"example.com/streams/internal/bufnet/embedded"
)

// Dial serves what register adds and returns a connection to it.
func Dial(t testing.TB, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	return Serve(t, register).Dial(t)
}

// A Server is an in-memory server that ends with its test.
type Server struct{ *embedded.Server }

// Serve starts a server with the services that register adds. When the test
// ends, it stops the server and waits for its handlers.
func Serve(t testing.TB, register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption) Server {
	t.Helper()
	s := embedded.Serve(register, opts...)
	closeAfter(t, s, "the server")
	return Server{s}
}

// Dial returns a connection to the server, closed when the test ends.
func (s Server) Dial(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := s.NewClient(opts...)
	if err != nil {
		t.Fatalf("bufnet: NewClient: %v", err)
	}
	closeAfter(t, conn, "the connection")
	return conn
}

func closeAfter(t testing.TB, c io.Closer, what string) {
	t.Helper()
	t.Cleanup(func() {
		t.Helper()
		if err := c.Close(); err != nil {
			t.Errorf("bufnet: %s ended with %v", what, err)
		}
	})
}
