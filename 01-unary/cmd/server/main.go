// Command server offers SnapshotService over TCP until SIGINT, SIGTERM or
// SIGHUP.
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
	"time"

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
		if info, err := os.Stat(*file); err != nil {
			return err
		} else if !info.Mode().IsRegular() {
			return fmt.Errorf("-file: must be a regular file, got %q", *file)
		}
		snapshots.FS = os.DirFS(filepath.Dir(*file))
		snapshots.Name = filepath.Base(*file)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		fmt.Fprintln(os.Stderr, "server: no encryption: the network can read every call")
	}
	server := grpc.NewServer( // limits of what one connection can take
		grpc.ConnectionTimeout(3*time.Second), // of the handshake; by default 2 minutes
		grpc.MaxConcurrentStreams(100),        // of one connection; by default no limit
		grpc.MaxHeaderListSize(16<<10),        // bytes; by default 16 MiB
		grpc.MaxRecvMsgSize(4<<10),            // bytes; by default 4 MiB. A valid request has 2 or 3
	)
	snapshotv1.RegisterSnapshotServiceServer(server, snapshots)

	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, func() {
		stop()                                     // a second signal ends the process at once
		time.AfterFunc(5*time.Second, server.Stop) // GracefulStop has no limit
		server.GracefulStop()
	})
	fmt.Fprintf(os.Stderr, "server: listening on %v\n", listener.Addr())
	err = server.Serve(listener) // returns after GracefulStop
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil // the signal came before Serve
	}
	return err
}
