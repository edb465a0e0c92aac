// Package serve runs a gRPC server until it is told to stop, and then drains
// it: health says so first, and open calls may finish, within a limit.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// cleanup is the least time that handlers have to return after the drain has
// canceled their calls.
const cleanup = time.Second

// A Server is a [grpc.Server] with quotas, health and a drain. Register the
// services and set the fields before [Server.ServeUntil], which must be
// called once. Its other methods may be called concurrently.
type Server struct {
	*grpc.Server

	// LameDuck is how long the server still serves everybody, new
	// connections too, while health already reports NOT_SERVING. Whoever
	// routes clients to this server needs this time to route them
	// elsewhere. If 0, the drain begins at once.
	LameDuck time.Duration

	// Drain is how long open calls may take to finish. It must be at
	// least 0.
	Drain time.Duration

	// OnDrain, if not nil, tells open streams to finish. It is called
	// once, when the drain begins, and must not block.
	OnDrain func()

	health *health.Server
}

// New returns a server that offers health and has the quotas of this
// package. opts come after the quotas and override them. Interceptors in
// opts belong in [grpc.ChainUnaryInterceptor] and
// [grpc.ChainStreamInterceptor]: grpc-go calls one that is set without Chain
// before all others, so that its panics end the process.
//
// New does not register reflection, which tells everybody who may call it
// the names of all services, their methods and their messages. Commands
// with the flag -reflection register it by default, because a course is
// explored with grpcurl.
func New(opts ...grpc.ServerOption) *Server {
	s := &Server{Server: grpc.NewServer(append(quotas(), opts...)...), health: health.NewServer()}
	grpc_health_v1.RegisterHealthServer(s, s.health)
	return s
}

// SetServing sets what health reports for the service "": at first SERVING,
// and, from the lame duck or the drain on, NOT_SERVING whatever is set.
func (s *Server) SetServing(serving bool) {
	status := grpc_health_v1.HealthCheckResponse_NOT_SERVING
	if serving {
		status = grpc_health_v1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status)
}

// ServeUntil serves on the listener. When ctx is done, health reports
// NOT_SERVING, and after the time LameDuck, in which the server still serves,
// the server drains: OnDrain is called, new calls and connections are refused,
// and open calls have the time Drain to finish before they are canceled. A
// health Watch is an open call too; a grpc-go client that uses it to choose a
// server ends it when the drain begins. A connection whose handshake is not complete
// delays the end, and the cancellation of calls, until it is 3 s old.
//
// ServeUntil closes the listener. It returns nil after a drain, or an error
// if a handler has not returned a second after the time Drain, or 4 s after
// the drain began, whichever is later. If an option sets a longer
// [grpc.ConnectionTimeout], such a connection can cause that error too. If the
// listener fails before the drain, the server drains at once, and ServeUntil
// returns an error.
func (s *Server) ServeUntil(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
		s.health.Shutdown()
		if s.LameDuck <= 0 {
			return s.drain()
		}
		select {
		case <-time.After(s.LameDuck):
			return s.drain()
		case err = <-served:
		}
	case err = <-served:
	}
	return errors.Join(errors.New("serve ended early"), err, s.drain())
}

func (s *Server) drain() error {
	s.health.Shutdown()
	if s.OnDrain != nil {
		s.OnDrain()
	}
	// GracefulStop waits for open calls, without a limit. Stop is the
	// limit: it cancels them, and GracefulStop waits for their handlers.
	// Both wait for the handshakes of connections first.
	defer time.AfterFunc(s.Drain, s.Stop).Stop()
	ended := make(chan struct{})
	go func() { s.GracefulStop(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(max(s.Drain, connectionTimeout) + cleanup):
		return fmt.Errorf("a handler still runs %v after its context ended", cleanup)
	}
}
