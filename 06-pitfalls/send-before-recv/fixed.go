package sendbeforerecv

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends the numbers and returns the values that come back.
func FixedEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, numbers ...*pitfallsv1.Number,
) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		for _, n := range numbers {
			if err := stream.Send(n); err != nil {
				return // Recv returns the status
			}
		}
		_ = stream.CloseSend() // always nil
	}()
	return service.Values(stream)
}
