package forwardinggoroutine

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns a channel of the numbers that req asks for, and a
// function that waits until the channel is closed and returns the error of the
// call, nil for OK. A caller that stops reading cancels ctx.
func FixedCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (<-chan int64, func() error) {
	numbers := make(chan int64)
	var forwarder errgroup.Group
	forwarder.Go(func() error {
		defer close(numbers)
		stream, err := c.Count(ctx, req)
		if err != nil {
			return err
		}
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			select {
			case numbers <- n.GetValue():
			case <-ctx.Done():
				return status.FromContextError(ctx.Err()).Err()
			}
		}
	})
	return numbers, forwarder.Wait
}
