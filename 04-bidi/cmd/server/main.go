// Command server offers ChatService over TCP.
package main

import (
	"context"
	"flag"
	"os"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/command"
	"example.com/streams/internal/serve"
)

const maxQueue = 1 << 16

var queue = flag.Int("queue", 256, "how many `messages` a member may be behind before it is disconnected")

func main() { os.Exit(serve.Main(run)) }

func run(ctx context.Context, s *serve.Server) error {
	if *queue < 1 || *queue > maxQueue {
		return command.Usagef("-queue %d is not in 1 to %d", *queue, maxQueue)
	}
	hub := bidi.NewHub(*queue)
	s.OnDrain = hub.Close
	chatv1.RegisterChatServiceServer(s, &bidi.ChatServer{Hub: hub})
	return s.Run(ctx)
}
