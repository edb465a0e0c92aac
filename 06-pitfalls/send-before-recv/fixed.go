package sendbeforerecv

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends n numbers of 10 KiB and returns the values that come back.
func FixedEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		for i := range n {
			number := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, 10<<10)}
			if err := stream.Send(number); err != nil {
				return // Recv returns the status
			}
		}
		_ = stream.CloseSend() // always nil
	}()
	return service.Values(stream)
}
