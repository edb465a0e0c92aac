// Command client prints the last lines of a server's log.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/printable"
)

var (
	addr    = flag.String("addr", "localhost:50051", "dial `host:port`")
	count   = flag.Uint("n", 10, "print this many `lines`")
	timeout = flag.Duration("timeout", 10*time.Second, "how long the call may take")
)

func main() {
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "client: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "client: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	conn, err := grpc.NewClient(*addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	client := snapshotv1.NewSnapshotServiceClient(conn)

	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	lines, err := unary.Lines(ctx, client, int32(min(*count, math.MaxInt32)))
	if err != nil {
		s := status.Convert(err)
		return fmt.Errorf("snapshot: %v: %q", s.Code(), s.Message())
	}
	for _, line := range lines {
		// A log holds text of strangers, which must not command a terminal.
		if _, err := fmt.Println(printable.Escape(string(line))); err != nil {
			return err // otherwise "> /dev/full" would succeed
		}
	}
	return nil
}
