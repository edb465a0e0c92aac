// Package sendbeforerecv shows two sides that wait for each other; see README.md.
package sendbeforerecv

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends n numbers of 10 KiB and returns the values that come back.
func BrokenEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for i := range n {
		number := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, 10<<10)}
		if err := stream.Send(number); err != nil {
			break // Recv returns the status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return service.Values(stream)
}
