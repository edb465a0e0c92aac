// Package concurrentclosesend shows a CloseSend that does not wait for Send; see README.md.
package concurrentclosesend

import (
	"context"
	"sync"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho is meant to send the values that arrive until values or stop is
// closed, and to return the answers.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	values <-chan int64, stop <-chan struct{},
) ([]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	var sender sync.WaitGroup
	defer sender.Wait()
	defer cancel() // ends the goroutines
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	sender.Go(func() {
		select {
		case <-stop:
			_ = stream.CloseSend() // always nil
		case <-ctx.Done():
		}
	})
	sender.Go(func() {
		defer func() { _ = stream.CloseSend() }() // always nil
		for {
			select {
			case v, ok := <-values:
				if !ok || stream.Send(&pitfallsv1.Number{Value: v}) != nil {
					return // Recv returns the status
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return service.Values(stream)
}
