// Command client is a chat in a terminal or a pipe. It sends the lines of
// standard input as texts and prints what happens in the room. The end of
// standard input, or Ctrl-D, half-closes. Ctrl-C cancels the call.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/printable"
)

var (
	target = cli.ClientFlags()
	name   = flag.String("name", "ann", "join as `name`")
	room   = flag.String("room", "go", "join this `room`")
)

func main() { os.Exit(cli.Main("client", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	conn, stop, err := target.Connect(register)
	if err != nil {
		return err
	}
	defer stop()

	say, input := make(chan string), make(chan error, 1)
	// Nothing interrupts a read of stdin. When the chat ends first, this
	// goroutine stays in its read until the process ends.
	go func() {
		input <- sayLines(os.Stdin, say)
		close(say)
	}()
	for msg, err := range bidi.Talk(ctx, chatv1.NewChatServiceClient(conn), *room, *name, say) {
		if err != nil {
			return fmt.Errorf("chat: %w", err)
		}
		if _, err := fmt.Println(bidi.Line(msg)); err != nil {
			return err
		}
	}
	select {
	case err := <-input:
		return err
	default:
		return nil // the server ended the chat before stdin ended
	}
}

// sayLines sends the lines of r to say until r ends. A server refuses empty
// lines and control characters, so sayLines leaves out the former and
// escapes the latter.
func sayLines(r io.Reader, say chan<- string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if lines.Text() != "" {
			say <- printable.Escape(lines.Text())
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("stdin: a line must have fewer than %d bytes", bufio.MaxScanTokenSize)
	}
	if lines.Err() != nil {
		return fmt.Errorf("stdin: %w", lines.Err())
	}
	return nil
}
