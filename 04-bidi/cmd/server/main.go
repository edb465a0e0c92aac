// Command server offers ChatService over TCP.
package main

import (
	"context"
	"flag"
	"os"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

const minQueue, maxQueue = bidi.MaxText >> 10, 1 << 16 // KiB

var (
	listener = cli.ServerFlags()
	queue    = flag.Int("queue", 256, "disconnect a member that is more than this many `KiB` of texts behind")
)

func main() { os.Exit(cli.Main("server", run)) }

func run(ctx context.Context) error {
	if *queue < minQueue || *queue > maxQueue {
		return cli.Usagef("-queue: must be %d to %d, got %d", minQueue, maxQueue, *queue)
	}
	hub := bidi.NewHub(*queue)
	s := serve.New(bidi.ServerOptions()...) // a grpc.Server with limits
	s.OnDrain = hub.Drain                   // before GracefulStop, which waits for open streams
	chatv1.RegisterChatServiceServer(s, &bidi.ChatServer{Hub: hub})
	return listener.Serve(ctx, s)
}
