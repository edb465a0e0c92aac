package abandonedstream

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedFind returns the first number of the stream for which ok is true.
func FixedFind(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, ok func(int64) bool,
) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
