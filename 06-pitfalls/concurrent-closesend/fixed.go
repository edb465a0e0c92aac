package concurrentclosesend

import (
	"context"
	"sync"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends the values that arrive until values or stop is closed, or the
// call ends, and returns the answers.
func FixedEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	values <-chan int64, stop <-chan struct{},
) ([]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	var sender sync.WaitGroup
	defer sender.Wait()
	defer cancel() // ends the goroutine
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	sender.Go(func() {
		defer func() { _ = stream.CloseSend() }() // always nil
		for {
			select {
			case <-stop:
				return
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
