// Package embedded runs a gRPC server inside the process that calls it.
// Client and server speak HTTP/2 as over TCP; only the socket is replaced,
// by a buffer in memory.
package embedded

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// A Server is a [grpc.Server] that is served in memory.
type Server struct {
	*grpc.Server
	listener *bufconn.Listener
	served   chan error
}

// Serve starts a server with the services that register adds.
// End it with [Server.Close].
func Serve(register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption) *Server {
	// Without WaitForHandlers, Stop returns while handlers still run.
	opts = append([]grpc.ServerOption{grpc.WaitForHandlers(true)}, opts...)
	s := &Server{
		Server:   grpc.NewServer(opts...),
		listener: bufconn.Listen(64 << 10), // bytes held in each direction
		served:   make(chan error, 1),
	}
	register(s)
	go func() { s.served <- s.Serve(s.listener) }()
	return s
}

// NewClient returns a connection to the server. The caller closes it.
func (s *Server) NewClient(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	opts = append([]grpc.DialOption{
		grpc.WithContextDialer(s.DialContext),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	}, opts...)
	// passthrough: the default scheme would look the name up in DNS.
	return grpc.NewClient("passthrough:///embedded", opts...)
}

// DialContext connects to the server; the address is ignored.
func (s *Server) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	return s.listener.DialContext(ctx)
}

// Close stops the server, waits for its handlers, and returns what failed.
func (s *Server) Close() error {
	s.Stop()
	if err := <-s.served; !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // it was stopped before it began to serve
}
