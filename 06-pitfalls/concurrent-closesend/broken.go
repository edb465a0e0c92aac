// Package concurrentclosesend shows a CloseSend that does not wait for Send; see README.md.
package concurrentclosesend

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the values that arrive until stop is closed, and returns the
// answers. The caller keeps values open until it has closed stop, and closes
// stop after an error too.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	values <-chan int64, stop <-chan struct{},
) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		<-stop
		_ = stream.CloseSend() // always nil
	}()
	go func() {
		for v := range values {
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				return // Recv returns the status
			}
		}
	}()
	return service.Values(stream)
}
