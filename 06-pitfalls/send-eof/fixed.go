package sendeof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedSum sends the values and returns their sum. An iterator that waits must
// end when ctx ends.
func FixedSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values iter.Seq[int64]) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for v := range values {
		err := stream.Send(&pitfallsv1.Number{Value: v})
		if errors.Is(err, io.EOF) {
			break // CloseAndRecv returns the status
		}
		if err != nil {
			return 0, fmt.Errorf("send %d: %w", v, err)
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
