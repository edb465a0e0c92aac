// Command server offers SnapshotService over TCP until SIGINT or SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"google.golang.org/grpc"

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

var (
	addr = flag.String("addr", "localhost:50051", "listen on `host:port`")
	file = flag.String("file", "", "serve the last lines of this `file` (default: a sample)")
)

func main() {
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "server: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "server: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	snapshots := &unary.SnapshotServer{FS: unary.Sample, Name: unary.SampleName}
	if *file != "" {
		snapshots.FS = os.DirFS(filepath.Dir(*file))
		snapshots.Name = filepath.Base(*file)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	snapshotv1.RegisterSnapshotServiceServer(server, snapshots)

	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		server.GracefulStop()
	})
	fmt.Fprintf(os.Stderr, "server: listening on %v\n", listener.Addr())
	err = server.Serve(listener) // returns after GracefulStop
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil // the signal came before Serve
	}
	return err
}
