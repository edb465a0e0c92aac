// Package recvaftererror shows a client that keeps receiving after an error; see README.md.
package recvaftererror

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle with each number and warn with each error. It is
// meant to do so until the stream has ended or ctx is done.
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
	return status.FromContextError(ctx.Err()).Err()
}
