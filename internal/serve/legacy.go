package serve

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/internal/command"
)

// Main is the main function of a command that has not moved to package cli
// yet.
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
		return err
	}
	fmt.Fprintf(os.Stderr, "server: listening on %s\n", listener.Addr())
	return s.ServeUntil(ctx, listener)
}
