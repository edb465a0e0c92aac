package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/internal/memserver"
	"example.com/streams/internal/wire"
)

// A Target is the server that a client talks to: that of -addr, or one in
// the client's own process. Its methods may be called concurrently.
type Target struct {
	Addr string // host:port; empty: an in-process server

	tap *wire.Tap // nil without -wire
}

// ClientFlags adds the flags -addr and -wire to the command line. They are
// set when [Main] calls run.
func ClientFlags() *Target {
	t := new(Target)
	flag.StringVar(&t.Addr, "addr", "", "dial `host:port` (default: an in-process server)")
	flag.BoolFunc("wire", "print HTTP/2 frames to stderr; -wire=all: also those of the connection", t.setWire)
	return t
}

func (t *Target) setWire(value string) error {
	on, err := strconv.ParseBool(value)
	switch all := value == "all"; {
	case on, all:
		t.tap = wire.New(os.Stderr)
		t.tap.StreamsOnly = !all
	case err != nil:
		return errors.New("want -wire or -wire=all")
	default:
		t.tap = nil
	}
	return nil
}

// Connect dials Addr. If Addr is empty, Connect calls register and serves
// what register adds, in memory. The context of register ends with stop.
// The caller calls stop, which closes the connection and the in-process
// server. A signal does not end that server before the client has seen its
// own call end, as if the server were another process.
func (t *Target) Connect(
	register func(context.Context, grpc.ServiceRegistrar) error, opts ...grpc.DialOption,
) (conn *grpc.ClientConn, stop func(), err error) {
	if t.Addr != "" {
		conn, err = t.Dial(opts...)
		return conn, func() { _ = conn.Close() }, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := memserver.Serve(func(r grpc.ServiceRegistrar) { err = register(ctx, r) })
	closeServer := func() {
		cancel() // first: a handler may wait for it
		_ = s.Close()
	}
	if err == nil {
		conn, err = s.NewClient(append([]grpc.DialOption{t.Dialer(s.DialContext)}, opts...)...)
	}
	if err != nil {
		closeServer()
		return nil, nil, err
	}
	return conn, func() { _ = conn.Close(); closeServer() }, nil
}

// Dial returns a connection to Addr. The caller closes it.
func (t *Target) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	if _, _, err := net.SplitHostPort(t.Addr); err != nil {
		return nil, Usagef("-addr: %v", err)
	}
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		t.Dialer(dialTCP),
	}, opts...)
	conn, err := grpc.NewClient(t.Addr, opts...)
	if err != nil {
		return nil, fmt.Errorf("-addr %s: %w", t.Addr, err)
	}
	return conn, nil
}

// Dialer returns the option to connect with dial, and to print the frames
// if -wire is set.
func (t *Target) Dialer(dial func(context.Context, string) (net.Conn, error)) grpc.DialOption {
	if t.tap != nil {
		dial = t.tap.Dialer(dial)
	}
	return grpc.WithContextDialer(dial)
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}
