// Package uninterruptiblerecv shows a handler whose limit does not end Recv; see README.md.
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

// BrokenEcho sends each number back. BrokenEcho is meant to return when the
// limit has passed.
func BrokenEcho(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], limit time.Duration,
) error {
	ctx, cancel := context.WithTimeout(stream.Context(), limit)
	defer cancel()
	for ctx.Err() == nil {
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
	return status.FromContextError(ctx.Err()).Err()
}
