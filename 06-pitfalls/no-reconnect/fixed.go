package noreconnect

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedFollow calls handle with each number until the server ends a stream with
// OK, or ctx is done. If a stream ends with Unavailable, FixedFollow tries again
// after a second. It returns any other error.
func FixedFollow(ctx context.Context, c pitfallsv1.PitfallServiceClient, handle func(int64)) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	for {
		n, err := stream.Recv()
		if status.Code(err) == codes.Unavailable {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return status.FromContextError(ctx.Err()).Err()
			}
			stream, err = c.Count(ctx, &pitfallsv1.CountRequest{}, grpc.WaitForReady(true))
			if err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		handle(n.GetValue())
	}
}
