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

// FixedEcho sends each number back. It returns after limit at the latest, if
// the client reads.
//
// DeadlineExceeded: the limit has passed.
func FixedEcho(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], limit time.Duration,
) error {
	ctx, cancel := context.WithTimeout(stream.Context(), limit)
	defer cancel()
	numbers, ended := fixedReceive(ctx, stream)
	for {
		select {
		case n := <-numbers:
			if err := stream.Send(n); err != nil {
				return err
			}
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

// fixedReceive receives numbers in a goroutine. The goroutine ends when the
// handler returns.
func fixedReceive(
	ctx context.Context, stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
) (<-chan *pitfallsv1.Number, <-chan error) {
	numbers, ended := make(chan *pitfallsv1.Number), make(chan error, 1)
	go func() {
		for {
			n, err := stream.Recv() // fails when the handler has returned
			if err != nil {
				ended <- err
				return
			}
			select {
			case numbers <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	return numbers, ended
}
