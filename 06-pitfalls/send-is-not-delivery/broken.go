// Package sendisnotdelivery shows a client that leaves before its messages arrive; see README.md.
package sendisnotdelivery

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenReport sends the values to the server.
func BrokenReport(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}
