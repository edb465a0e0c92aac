package uninterruptiblerecv

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends each number back. It returns when the limit has passed, at the
// latest.
//
// DeadlineExceeded: the limit has passed, or the deadline of the client.
func FixedEcho(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], limit time.Duration,
) error {
	ctx, cancel := context.WithTimeout(stream.Context(), limit)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- echoAll(stream) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done(): // returning ends Recv and Send
		return status.FromContextError(ctx.Err()).Err()
	}
}

func echoAll(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
