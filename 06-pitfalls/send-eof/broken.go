// Package sendeof shows a client that loses the reason of a refusal; see README.md.
package sendeof

import (
	"context"
	"fmt"
	"iter"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends the values and returns their sum. An iterator that waits must
// end when ctx ends.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values iter.Seq[int64]) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			return 0, fmt.Errorf("send %d: %w", v, err)
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
