// Package concurrentrecv shows two goroutines that read one stream; see README.md.
package concurrentrecv

import (
	"cmp"
	"context"
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle for each number that req asks for. Two workers call
// it concurrently. BrokenCount returns when both have ended.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, handle func(int64),
) error {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	errs := make(chan error, 2)
	worker := func() {
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				errs <- nil
				return
			}
			if err != nil {
				errs <- err
				return
			}
			handle(n.GetValue())
		}
	}
	go worker()
	go worker()
	return cmp.Or(<-errs, <-errs)
}
