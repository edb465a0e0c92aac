// Package missingclosesend shows a call that never ends; see README.md.
package missingclosesend

import (
	"context"
	"sync"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the values and returns what the server sends back.
func BrokenEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
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
	})
	return service.Values(stream)
}

// BrokenSum sends the values and returns their sum.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // RecvMsg returns the status
		}
	}
	response := new(pitfallsv1.SumResponse)
	err = stream.RecvMsg(response)
	return response.GetSum(), err
}
