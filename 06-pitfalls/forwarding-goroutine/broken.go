// Package forwardinggoroutine shows a goroutine that waits for a reader that has gone; see README.md.
package forwardinggoroutine

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns a channel of the numbers that req asks for, and a
// function that waits until the channel is closed and returns the error of the
// call, nil for OK. A caller that stops reading cancels ctx.
func BrokenCount(
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
			numbers <- n.GetValue()
		}
	})
	return numbers, forwarder.Wait
}
