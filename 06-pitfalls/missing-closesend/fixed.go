package missingclosesend

import (
	"context"
	"sync"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho sends the values and returns what the server sends back.
func FixedEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	var sender sync.WaitGroup
	defer sender.Wait()
	defer cancel()
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	sender.Go(func() {
		for _, v := range values {
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				return // Recv returns the status
			}
		}
		_ = stream.CloseSend() // always nil
	})
	return service.Values(stream)
}

// FixedSum sends the values and returns their sum.
func FixedSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
