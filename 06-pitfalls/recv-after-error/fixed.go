package recvaftererror

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount calls handle with each number, until the stream has ended or ctx
// is done. It calls warn with the first error of Recv, and returns that error.
func FixedCount(
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
			return err
		}
		handle(n.GetValue())
	}
	return status.FromContextError(ctx.Err()).Err()
}
