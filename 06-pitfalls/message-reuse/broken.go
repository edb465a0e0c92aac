// Package messagereuse shows a client that changes a message after sending it; see README.md.
package messagereuse

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends the values and returns their sum.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	n := new(pitfallsv1.Number)
	for _, v := range values {
		n.Value = v
		if err := stream.Send(n); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
