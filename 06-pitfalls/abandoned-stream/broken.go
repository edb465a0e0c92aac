// Package abandonedstream shows a client that leaves a stream open; see README.md.
package abandonedstream

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFind returns the first number that is not below minimum, or io.EOF if a
// complete stream has none.
func BrokenFind(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, minimum int64,
) (int64, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return 0, err
	}
	for {
		n, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		if n.GetValue() >= minimum {
			return n.GetValue(), nil
		}
	}
}
