// Package client is what the chapters' cmd/client share: a server to talk
// to, the frames on the wire if asked for, and an end.
package client

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

	"example.com/streams/internal/bufnet/embedded"
	"example.com/streams/internal/command"
	"example.com/streams/internal/wire"
)

// Main is the main function of a chapter's cmd/client. It adds the flags
// -addr and -wire, connects, calls run, and returns the exit status.
// Without -addr it serves what embed registers, in memory. The context of run ends at a signal;
// that of embed when run has returned, as if it were another process. opts
// are of the connection.
func Main(
	embed func(context.Context, grpc.ServiceRegistrar),
	run func(context.Context, *grpc.ClientConn) error,
	opts ...grpc.DialOption,
) int {
	t := Target{opts: opts}
	t.Flags()
	return command.Main("client", func(ctx context.Context) error {
		if t.Addr == "" {
			return t.runEmbedded(ctx, embed, run)
		}
		return t.runDialed(ctx, run)
	})
}

// A Target is whom a client talks to, and whether you see the frames.
type Target struct {
	Addr string // host:port; empty: an embedded server
	opts []grpc.DialOption
	tap  *wire.Tap
}

// Flags adds -addr and -wire to the command line.
func (t *Target) Flags() {
	flag.StringVar(&t.Addr, "addr", "", "dial `host:port` (default: an embedded server)")
	flag.BoolFunc("wire", "print HTTP/2 frames to stderr; -wire=all: those of the connection too", t.setWire)
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

// Dial returns a connection to Addr. The caller closes it.
func (t *Target) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	if _, _, err := net.SplitHostPort(t.Addr); err != nil {
		return nil, command.Usagef("-addr: %v", err)
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

// Dialer returns the option to connect with dial, and with -wire to show
// the frames.
func (t *Target) Dialer(dial func(context.Context, string) (net.Conn, error)) grpc.DialOption {
	if t.tap != nil {
		dial = t.tap.Dialer(dial)
	}
	return grpc.WithContextDialer(dial)
}

func (t *Target) runEmbedded(
	ctx context.Context,
	embed func(context.Context, grpc.ServiceRegistrar),
	run func(context.Context, *grpc.ClientConn) error,
) (err error) {
	life, end := context.WithCancel(context.Background())
	s := embedded.Serve(func(r grpc.ServiceRegistrar) { embed(life, r) })
	defer func() {
		end() // first: a handler may wait for it
		err = errors.Join(err, s.Close())
	}()
	conn, err := s.NewClient(append(t.opts, t.Dialer(s.DialContext))...)
	if err != nil {
		return err
	}
	defer conn.Close()
	return run(ctx, conn)
}

func (t *Target) runDialed(ctx context.Context, run func(context.Context, *grpc.ClientConn) error) error {
	conn, err := t.Dial(t.opts...)
	if err != nil {
		return err
	}
	defer conn.Close()
	return run(ctx, conn)
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}
