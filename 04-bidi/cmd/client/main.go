// Command client is a chat in a terminal or a pipe. It sends the lines of
// standard input as texts, except empty ones and those that are too long, and
// prints what happens in the room. The end of standard input half-closes. Ctrl-C
// cancels the call.
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
	// Nothing here interrupts a read of stdin. When the chat ends first, this
	// goroutine stays until the process ends.
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
// lines, characters that are not printable, and long lines, and then ends
// the chat. So sayLines leaves out the first, escapes the second, and prints
// a complaint instead of sending the third.
func sayLines(r io.Reader, say chan<- string) error {
	lines := bufio.NewReaderSize(r, bidi.MaxText+len("\r\n"))
	unsent := 0
	for n := 1; ; n++ {
		line, isPrefix, err := lines.ReadLine()
		text := printable.Escape(string(line))
		tooLong := isPrefix || len(text) > bidi.MaxText
		for isPrefix && err == nil { // the rest of a line that is too long
			_, isPrefix, err = lines.ReadLine()
		}
		switch {
		case tooLong:
			unsent++
			fmt.Fprintf(os.Stderr, "client: line %d: must have at most %d bytes; it is not sent\n", n, bidi.MaxText)
		case text != "":
			say <- text
		}
		switch {
		case errors.Is(err, io.EOF) && unsent > 0:
			return fmt.Errorf("stdin: lines that were too long and not sent: %d", unsent)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("stdin: %w", err)
		}
	}
}
