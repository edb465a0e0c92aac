// Command client is a chat in a terminal or a pipe: it says the lines of
// stdin and prints what happens in the room. Ctrl-D says goodbye, Ctrl-C
// hangs up.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

var (
	name = flag.String("name", "ann", "your `name` in the room")
	room = flag.String("room", "go", "the `room` to join")
)

func main() { os.Exit(client.Main(embed, run)) }

func run(ctx context.Context, conn *grpc.ClientConn) error {
	if flag.NArg() > 0 {
		return command.Usagef("unexpected argument %q", flag.Arg(0))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	say, failed := make(chan string), make(chan error, 1)
	// Nothing interrupts a read of stdin. When the chat ends first, this
	// goroutine stays in its read, and the end of the process ends it.
	go func() {
		if err := readLines(ctx, input(), say); err != nil {
			failed <- err
			cancel()
		}
	}()
	err := bidi.Talk(ctx, chatv1.NewChatServiceClient(conn), *room, *name, say, show)
	select {
	case err := <-failed:
		return err
	default:
	}
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	return nil
}

func show(msg *chatv1.ChatMessage) error {
	answered(msg)
	_, err := fmt.Fprintln(os.Stdout, bidi.Line(msg))
	return err
}
