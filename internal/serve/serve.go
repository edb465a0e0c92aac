// Package serve is the life of a TCP server: listen, say so, serve, and
// drain when told to stop.
package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"example.com/streams/internal/command"
)

// Main is the main function of a chapter's cmd/server. It adds the flags
// -addr and -drain, calls run with a server to register services on, and
// returns the exit status. What run does last is [Server.Run]. The options
// are for [New].
func Main(run func(context.Context, *Server) error, opts ...grpc.ServerOption) int {
	s := New(opts...)
	flag.StringVar(&s.Addr, "addr", "localhost:50051", "listen on `host:port`")
	flag.DurationVar(&s.Drain, "drain", 5*time.Second, "how long open calls may take to finish when the server stops")
	return command.Main("server", func(ctx context.Context) error {
		if flag.NArg() > 0 {
			return command.Usagef("unexpected argument %q", flag.Arg(0))
		}
		return run(ctx, s)
	})
}

// cleanup is how long handlers may take to return once they are cut.
const cleanup = time.Second

// A Server is a [grpc.Server] with health and reflection, and with an end.
type Server struct {
	*grpc.Server

	Addr  string        // host:port to listen on
	Drain time.Duration // how long open calls may take to finish, ≥ 0

	// OnDrain, if set, tells open streams to finish. It is called once,
	// when the server starts to drain, and must not block.
	OnDrain func()

	health *health.Server
}

// New returns a server that offers health and reflection.
func New(opts ...grpc.ServerOption) *Server {
	s := &Server{Server: grpc.NewServer(opts...), health: health.NewServer()}
	grpc_health_v1.RegisterHealthServer(s, s.health)
	reflection.Register(s)
	return s
}

// Run listens on Addr and serves until ctx is done.
func (s *Server) Run(ctx context.Context) error {
	if s.Drain < 0 {
		return command.Usagef("-drain %v is negative", s.Drain)
	}
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		return command.Usagef("-addr: %v", err)
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err // "listen tcp …: bind: address already in use"
	}
	fmt.Fprintf(os.Stderr, "server: listening on %s\n", listener.Addr())
	return s.ServeUntil(ctx, listener)
}

// ServeUntil serves on the listener until ctx is done, then drains: health
// says NOT_SERVING, OnDrain is called, and open calls have Drain to finish
// before they are cut. A Watch of health is an open call too, but clients
// that use it to choose a server end it when the drain starts. ServeUntil
// returns nil after a drain, unless a handler ignores that it was cut.
func (s *Server) ServeUntil(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	select {
	case <-ctx.Done():
		return s.drain()
	case err := <-served:
		return errors.Join(errors.New("serve ended early"), err, s.drain())
	}
}

func (s *Server) drain() error {
	s.health.Shutdown()
	if s.OnDrain != nil {
		s.OnDrain()
	}
	// GracefulStop waits for open calls, without a limit. Stop is the
	// limit: it cancels them, and GracefulStop waits for their handlers.
	defer time.AfterFunc(s.Drain, s.Stop).Stop()
	ended := make(chan struct{})
	go func() { s.GracefulStop(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(s.Drain + cleanup):
		return fmt.Errorf("a handler still runs %v after its context ended", cleanup)
	}
}
