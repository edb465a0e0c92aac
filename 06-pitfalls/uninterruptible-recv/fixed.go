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

// FixedEcho sends each number back. If the client reads, FixedEcho returns when
// the limit has passed.
//
// DeadlineExceeded: the limit has passed.
func FixedEcho(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], limit time.Duration,
) error {
	ctx, cancel := context.WithTimeout(stream.Context(), limit)
	defer cancel()
	for {
		var n *pitfallsv1.Number
		var err error
		received := make(chan struct{})
		go func() {
			defer close(received)
			n, err = stream.Recv() // fails when the handler has returned
		}()
		select {
		case <-received:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
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
