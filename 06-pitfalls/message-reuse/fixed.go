package messagereuse

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedSum sends the values and returns their sum.
func FixedSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		n := &pitfallsv1.Number{Value: v}
		if err := stream.Send(n); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
