package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/security"
	"example.com/streams/internal/cli"
)

// say prints a line, unless a signal has ended the demo.
func say(ctx context.Context, who, format string, args ...any) {
	if ctx.Err() == nil {
		fmt.Printf("   %-10s %s\n", who, fmt.Sprintf(format, args...))
	}
}

// follow returns a function that prints the next entry of the log as one
// user sees it. While the user waits to come back, the log gets an entry.
func (f *fixture) follow(ctx context.Context, name string, c logsv1.LogServiceClient) (read, stop func()) {
	next, stop := iter.Pull2(security.Follow(ctx, c, &logsv1.LogRequest{Follow: true}, func(err error) {
		text := cli.Describe(err)
		if _, cause, ok := strings.Cut(text, "received prior goaway"); ok {
			text = status.Code(err).String() + ": ... received prior goaway" + cause
		}
		say(ctx, name, "%s", text)
		f.log.Append("written while "+name+" was away", false)
	}))
	return func() {
		switch e, err, ok := next(); {
		case !ok: // a signal
		case err == nil:
			say(ctx, name, "reads entry %d, %q", e.GetSequence(), e.GetMessage())
		default:
			say(ctx, name, "%s", cli.Describe(err))
		}
	}, stop
}

// firstEntry returns the first entry of the log.
func firstEntry(ctx context.Context, c logsv1.LogServiceClient) (*logsv1.LogEntry, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.StreamLogs(ctx, new(logsv1.LogRequest))
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}
