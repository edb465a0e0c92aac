package cli

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc/reflection"

	"example.com/streams/internal/serve"
)

// A Listener is where a server listens, and how it stops. Its
// methods may be called concurrently, each with a server of its own.
type Listener struct {
	// Reflection tells everybody who may call it which services,
	// methods and messages the server has. grpcurl asks for it.
	Reflection bool

	Name     string        // of the command, by default "server"
	Addr     string        // host:port
	LameDuck time.Duration // how long health says NOT_SERVING before the drain, ≥ 0
	Drain    time.Duration // how long open calls may take to finish, ≥ 0

	// OnListen, if not nil, is called before the address is printed.
	OnListen func()
}

// ServerFlags adds the flags -addr, -lame-duck, -drain and -reflection to the
// command line. They are set when [Main] calls run.
func ServerFlags() *Listener {
	l := &Listener{Name: "server"}
	flag.StringVar(&l.Addr, "addr", "localhost:50051", "listen on `host:port`")
	flag.DurationVar(&l.LameDuck, "lame-duck", 0, "how long health says NOT_SERVING before the server stops accepting connections")
	flag.DurationVar(&l.Drain, "drain", 5*time.Second, "how long open calls may take to finish when the server stops")
	flag.BoolVar(&l.Reflection, "reflection", true, "tell everybody who asks which services the server has, as grpcurl does")
	return l
}

// Serve listens on Addr, prints the address on stderr, and serves s until
// ctx is done and s is drained. If the address is not loopback, Serve also
// prints a warning, because the traffic is not encrypted.
func (l *Listener) Serve(ctx context.Context, s *serve.Server) error {
	if err := NoArgs(); err != nil {
		return err
	}
	if l.LameDuck < 0 {
		return Usagef("-lame-duck: must be at least 0, got %v", l.LameDuck)
	}
	if l.Drain < 0 {
		return Usagef("-drain: must be at least 0, got %v", l.Drain)
	}
	if _, _, err := net.SplitHostPort(l.Addr); err != nil {
		return Usagef("-addr: %v", err)
	}
	listener, err := net.Listen("tcp", l.Addr)
	if err != nil {
		return err // "listen tcp …: bind: address already in use"
	}
	if l.OnListen != nil {
		l.OnListen()
	}
	fmt.Fprintf(os.Stderr, "%s: listening on %s\n", l.Name, listener.Addr())
	if a, ok := listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		fmt.Fprintf(os.Stderr, "%s: warning: %s is not loopback: the traffic is plaintext, and anybody who reaches the port may call\n", l.Name, listener.Addr())
	}
	if l.Reflection {
		reflection.Register(s)
	}
	s.LameDuck, s.Drain = l.LameDuck, l.Drain
	return s.ServeUntil(ctx, listener)
}
