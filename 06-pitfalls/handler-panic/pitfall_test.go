package handlerpanic

import (
	"fmt"
	"log/slog"
	"os"
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
	require.Contains(t, out, `panic="runtime error: index out of range [7] with length 5"`)
	require.Contains(t, out, "handler-panic.fibonacci(", "the stack in the log")
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

func TestPanic_OfALaterInterceptorIsRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		server := pitfalltest.Serve(t, new(service.Server), grpc.ChainStreamInterceptor(FixedLogging(log),
			func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error { panic("broken") }))
		stream, err := pitfallsv1.NewPitfallServiceClient(server.Dial(t)).Echo(t.Context())
		require.NoError(t, err)
		_, err = stream.Recv()
		require.EqualError(t, err, "rpc error: code = Internal desc = internal error")
	})
}

type echo = grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]

// askForTooMuch opens a stream, makes the handler of another stream panic, and
// prints what happens to both streams and what is logged.
func askForTooMuch(
	t *testing.T, logging func(*slog.Logger) grpc.StreamServerInterceptor, handler func(echo) error,
) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.NewTextHandler(os.Stdout, nil))
		server := pitfalltest.Serve(t, &service.Server{OnEcho: handler},
			grpc.ChainStreamInterceptor(logging(log)))
		client := pitfallsv1.NewPitfallServiceClient(server.Dial(t))
		other, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, client))
		fmt.Println("another stream is open")

		stream, err := client.Echo(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&pitfallsv1.Number{Value: 7}))
		_, err = stream.Recv()
		fmt.Println("afterward:", err)

		require.NoError(t, other.Send(&pitfallsv1.Number{Value: 4}))
		n, err := other.Recv()
		require.NoError(t, err)
		fmt.Println("the other stream:", n.GetValue())
	})
}

// fibonacci is a handler that receives an index, and answers with the
// Fibonacci number at that index. It does not check the index.
func fibonacci(stream echo) error {
	numbers := []int64{0, 1, 1, 2, 3}
	n, err := stream.Recv()
	if err != nil {
		return err
	}
	return stream.Send(&pitfallsv1.Number{Value: numbers[n.GetValue()]})
}
