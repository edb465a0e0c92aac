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

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/internal/bufnet/embedded"
	"example.com/streams/internal/command"
	"example.com/streams/internal/wire"
)

// Main is the main function of a chapter's cmd/client. It adds the flags
// -addr and -wire, connects, calls run, and exits. Without -addr it serves
// what embed registers, in memory; the context of embed ends with the
// command.
func Main(
	embed func(context.Context, grpc.ServiceRegistrar),
	run func(context.Context, *grpc.ClientConn) error,
) {
	addr := flag.String("addr", "", "dial `host:port` (default: an embedded server)")
	var tap *wire.Tap
	flag.BoolFunc("wire", "print HTTP/2 frames to stderr; -wire=all: those of the connection too", func(v string) error {
		tap = wire.New(os.Stderr)
		tap.StreamsOnly = v != "all"
		return nil
	})
	os.Exit(command.Main("client", func(ctx context.Context) error {
		if *addr == "" {
			return runEmbedded(ctx, tap, embed, run)
		}
		return runDialed(ctx, tap, *addr, run)
	}))
}

func runEmbedded(
	ctx context.Context, tap *wire.Tap,
	embed func(context.Context, grpc.ServiceRegistrar),
	run func(context.Context, *grpc.ClientConn) error,
) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := embedded.Serve(func(r grpc.ServiceRegistrar) { embed(ctx, r) })
	defer func() { err = errors.Join(err, s.Close()) }()
	conn, err := s.NewClient(dialer(tap, s.DialContext))
	if err != nil {
		return err
	}
	defer conn.Close()
	return run(ctx, conn)
}

func runDialed(ctx context.Context, tap *wire.Tap, addr string, run func(context.Context, *grpc.ClientConn) error) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return command.Usagef("-addr: %v", err)
	}
	conn, err := grpc.NewClient(addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		dialer(tap, dialTCP))
	if err != nil {
		return fmt.Errorf("-addr %s: %w", addr, err)
	}
	defer conn.Close()
	return run(ctx, conn)
}

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

type dialFunc = func(context.Context, string) (net.Conn, error)

func dialer(tap *wire.Tap, dial dialFunc) grpc.DialOption {
	if tap != nil {
		dial = tap.Dialer(dial)
	}
	return grpc.WithContextDialer(dial)
}
