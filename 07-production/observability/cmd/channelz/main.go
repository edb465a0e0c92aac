// Command channelz prints the connections of the gRPC servers of a process that
// offers channelz, one on a line. Without -addr, it shows its own connection in memory.
package main

import (
	"context"
	"os"
	"time"

	"google.golang.org/grpc"
	channelzv1 "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/channelz/service"

	"example.com/streams/07-production/observability"
	"example.com/streams/internal/cli"
)

var target = cli.ClientFlags()

// limit is how long all calls together may take.
const limit = 10 * time.Second

func main() { os.Exit(cli.Main("channelz [flags]", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	conn, stop, err := target.Connect(func(_ context.Context, s grpc.ServiceRegistrar) error {
		service.RegisterChannelzServiceToServer(s)
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return observability.PrintSockets(ctx, os.Stdout, channelzv1.NewChannelzClient(conn))
}
