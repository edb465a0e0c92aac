package console

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
	"example.com/streams/internal/memserver/memservertest"
)

type stream = grpc.BidiStreamingServer[consolev1.Input, consolev1.Output]

// A stub is a ConsoleService whose Attach is OnAttach.
type stub struct {
	consolev1.UnimplementedConsoleServiceServer
	OnAttach func(stream) error
}

func (s stub) Attach(stream stream) error { return s.OnAttach(stream) }

func dial(t *testing.T, attach func(stream) error) consolev1.ConsoleServiceClient {
	t.Helper()
	return consolev1.NewConsoleServiceClient(memservertest.Dial(t, func(s grpc.ServiceRegistrar) {
		consolev1.RegisterConsoleServiceServer(s, stub{OnAttach: attach})
	}))
}

// open attaches to a server with this handler.
func open(
	t *testing.T, attach func(stream) error,
) grpc.BidiStreamingClient[consolev1.Input, consolev1.Output] {
	t.Helper()
	stream, err := dial(t, attach).Attach(t.Context())
	require.NoError(t, err)
	return stream
}

// trace is a command that sends a line each minute, for an hour or until ctx
// ends.
func trace(ctx context.Context, stream stream) error {
	for range 60 {
		if err := stream.Send(Line("traced")); err != nil {
			return err
		}
		select {
		case <-time.After(time.Minute):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// untilEnd receives the outputs of a command. It returns the number of lines,
// and the end.
func untilEnd(
	t *testing.T, stream grpc.BidiStreamingClient[consolev1.Input, consolev1.Output],
) (lines int, end string) {
	t.Helper()
	for {
		out, err := stream.Recv()
		require.NoError(t, err)
		if out.GetEnd() != nil {
			return lines, Text(out)
		}
		lines++
	}
}

// echo sends each command back as a line.
func echo(stream stream) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(Line(in.GetCommand())); err != nil {
			return err
		}
	}
}

// inputs returns a closed channel with commands.
func inputs(commands ...string) <-chan *consolev1.Input {
	all := make(chan *consolev1.Input, len(commands))
	defer close(all)
	for _, command := range commands {
		all <- Command(command)
	}
	return all
}

// read loops over outputs and returns what it received.
func read(outputs iter.Seq2[*consolev1.Output, error]) (lines []string, err error) {
	for out, e := range outputs {
		if err = e; err == nil {
			lines = append(lines, Text(out))
		}
	}
	return lines, err
}
