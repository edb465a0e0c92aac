package uninterruptiblerecv

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends back what it gets, for no longer than the limit.
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
			return end(err)
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

// fixedReceive receives until ctx or the stream ends.
func fixedReceive(
	ctx context.Context, stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
) (<-chan *pitfallsv1.Number, <-chan error) {
	numbers, ended := make(chan *pitfallsv1.Number), make(chan error, 1)
	go func() {
		for {
			n, err := stream.Recv() // the handler's return ends it
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
