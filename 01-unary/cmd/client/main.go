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

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

var (
	n       = flag.Int("n", 10, "how many `lines` to print")
	timeout = flag.Duration("timeout", 10*time.Second, "how long the call may take")
)

func main() { os.Exit(client.Main(embed, run)) }

func embed(_ context.Context, s grpc.ServiceRegistrar) {
	snapshotv1.RegisterSnapshotServiceServer(s, &unary.SnapshotServer{
		FS: unary.Sample, Name: unary.SampleName,
	})
}

func run(ctx context.Context, conn *grpc.ClientConn) error {
	if flag.NArg() > 0 {
		return command.Usagef("unexpected argument %q", flag.Arg(0))
	}
	if *n > math.MaxInt32 {
		return command.Usagef("-n %d is over %d", *n, math.MaxInt32)
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	lines, err := unary.Lines(ctx, snapshotv1.NewSnapshotServiceClient(conn), int32(*n))
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	for _, line := range lines {
		fmt.Printf("%s\n", line)
	}
	return nil
}
