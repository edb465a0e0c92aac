package handlerpanic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_LoggingLetsTheProcessEnd(t *testing.T) {
	out := pitfalltest.Process(t, func() { askForTooMuch(t, BrokenLogging, fibonacci) })
	require.Contains(t, out, "another stream is open\n")
	require.Contains(t, out, "panic: runtime error: index out of range [7] with length 5")
	require.NotContains(t, out, "afterward")
}

func TestFixed_LoggingEndsOneStream(t *testing.T) {
	out := pitfalltest.Process(t, func() { askForTooMuch(t, FixedLogging, fibonacci) })
	require.Contains(t, out, "afterward: rpc error: code = Internal desc = internal error\n")
	require.Contains(t, out, "the other stream: 3\n")
	require.Contains(t, out, "logged the panic: true, the stack: true\n")
}

func TestPanic_InAnotherGoroutineIsNotRecovered(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		askForTooMuch(t, FixedLogging, func(stream echo) error {
			done := make(chan error)
			go func() { done <- fibonacci(stream) }()
			return <-done
		})
	})
	require.Contains(t, out, "panic: runtime error: index out of range [7] with length 5")
	require.NotContains(t, out, "afterward")
}

// askForTooMuch opens a stream, makes the handler of another stream panic, and
// prints what happens to both.
func askForTooMuch(t *testing.T, code logging, handler func(echo) error) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		interceptor := grpc.ChainStreamInterceptor(code(slog.New(slog.NewTextHandler(&logged, nil))))
		server := pitfalltest.Serve(t, &service.Server{OnEcho: handler}, interceptor)
		client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
		other, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
		fmt.Println("another stream is open")

		err = ask(t.Context(), client, 7)

		fmt.Println("afterward:", err)
		require.NoError(t, other.Send(&pitfallsv1.Number{Value: 4}))
		n, err := other.Recv()
		require.NoError(t, err)
		fmt.Println("the other stream:", n.GetValue())
		fmt.Printf("logged the panic: %t, the stack: %t\n",
			bytes.Contains(logged.Bytes(), []byte("index out of range [7]")),
			bytes.Contains(logged.Bytes(), []byte("handler-panic.fibonacci(")))
	})
}

type echo = grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]

type logging = func(*slog.Logger) grpc.StreamServerInterceptor

// fibonacci is a handler that answers with the Fibonacci number at the index
// that it receives. It does not check the index.
func fibonacci(stream echo) error {
	numbers := []int64{0, 1, 1, 2, 3}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pitfallsv1.Number{Value: numbers[n.GetValue()]}); err != nil {
			return err
		}
	}
}

// ask sends a number and reads until the call ends.
func ask(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int64) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(&pitfallsv1.Number{Value: n}) // Recv returns the status
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = service.Values(stream)
	return err
}
