package bubble

import (
	"context"
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Numbers returns the numbers that the server counts.
func Numbers(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) (got []int64, err error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to})
	if err != nil {
		return nil, err
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, n.GetValue())
	}
}
