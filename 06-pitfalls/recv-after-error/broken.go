// Package recvaftererror skips a message that it cannot receive.
//
// Symptom: after one message that is too large come thousands of empty ones
// that nobody sent, then the same error as fast as a CPU can log it.
//
// Cause: Recv reads the 5 bytes before a message, and if the length in them
// is above the limit it returns ResourceExhausted and leaves the message where
// it is. The stream has ended. What has arrived of it is still there, and the
// next Recv takes it for further messages: five zero bytes are an empty one.
// Once nothing is left, or after any other error at once, each Recv returns
// the error that ended the stream.
//
// Silence: to skip a bad line and read the next is right for a file. In a
// test no message is too large, and a stream ends with io.EOF.
//
// Fix: return on the first error of Recv. To go on, open a new stream.
//
// Source: "On any other error, the stream is aborted", [grpc.ClientStream]
// of v1.85.0.
package recvaftererror

import (
	"context"
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle with each number and warn with each error, until
// the stream has ended or ctx is done.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	handle func(int64), warn func(error),
) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 3})
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			warn(err)
			continue
		}
		handle(n.GetValue())
	}
	return ctx.Err()
}
