// Package abandonedstream shows a client that leaves a stream open; see README.md.
package abandonedstream

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFind returns the first number of the stream for which ok is true.
func BrokenFind(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, ok func(int64) bool,
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
		if ok(n.GetValue()) {
			return n.GetValue(), nil
		}
	}
}
