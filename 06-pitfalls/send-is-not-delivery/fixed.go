package sendisnotdelivery

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedReport sends the values to the server.
func FixedReport(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}
