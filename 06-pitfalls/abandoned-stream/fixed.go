package abandonedstream

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedFind returns the first number that is not below minimum, or io.EOF if a
// complete stream has none.
func FixedFind(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, minimum int64,
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
		if n.GetValue() >= minimum {
			return n.GetValue(), nil
		}
	}
}
