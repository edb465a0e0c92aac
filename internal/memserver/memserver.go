// Package memserver runs a gRPC server inside the process that calls it.
// Client and server speak HTTP/2 as over TCP. Only the socket is replaced,
// by a buffer in memory.
package memserver

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// bufferSize is the number of bytes that a connection holds in each
// direction.
const bufferSize = 64 << 10

// A Server is a [grpc.Server] that serves in memory. Its methods may be
// called concurrently.
type Server struct {
	*grpc.Server
	listener *bufconn.Listener
	served   chan error
}

// Serve starts a server with the services that register adds. The caller
// ends it with [Server.Close].
func Serve(register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption) *Server {
	// Without WaitForHandlers, Stop can return while handlers still run.
	opts = append([]grpc.ServerOption{grpc.WaitForHandlers(true)}, opts...)
	s := &Server{
		Server:   grpc.NewServer(opts...),
		listener: bufconn.Listen(bufferSize),
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
	return grpc.NewClient("passthrough:///in-process", opts...)
}

// DialContext connects to the server. It ignores the address.
func (s *Server) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	return s.listener.DialContext(ctx)
}

// Close cancels all calls, waits until their handlers have returned, and
// returns the error that ended the server, if it ended before Close. Close
// must be called once.
func (s *Server) Close() error {
	s.Stop()
	if err := <-s.served; !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // Stop came before Serve
}

// Dial starts a server as [Serve] does, and returns a connection to it. The
// caller calls stop, which closes both.
func Dial(register func(grpc.ServiceRegistrar), opts ...grpc.DialOption) (conn *grpc.ClientConn, stop func(), err error) {
	s := Serve(register)
	conn, err = s.NewClient(opts...)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return conn, func() {
		_ = conn.Close() // fails only if the caller has closed it
		_ = s.Close()    // the listener in memory does not fail
	}, nil
}
