// Package sendbeforerecv shows two sides that wait for each other; see README.md.
package sendbeforerecv

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the numbers and returns the values that come back.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, numbers ...*pitfallsv1.Number,
) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if err := stream.Send(n); err != nil {
			break // Recv returns the status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return service.Values(stream)
}
