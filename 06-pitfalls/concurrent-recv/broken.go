// Package concurrentrecv shows two goroutines that read one stream; see README.md.
package concurrentrecv

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount is meant to call handle for each number that req asks for. Two
// workers call handle concurrently. BrokenCount returns when both have ended.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, handle func(int64),
) error {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	worker := func() error {
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			handle(n.GetValue())
		}
	}
	var workers errgroup.Group
	workers.Go(worker)
	workers.Go(worker)
	return workers.Wait()
}
