// Package concurrentsend shows two goroutines that send on one stream; see README.md.
package concurrentsend

import (
	"context"
	"iter"
	"sync"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends the numbers of all sources concurrently, and returns the
// response. A source that waits must end when ctx ends.
func BrokenSum(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, sources ...iter.Seq[*pitfallsv1.Number],
) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	var workers sync.WaitGroup
	for _, source := range sources {
		workers.Go(func() {
			for n := range source {
				if err := stream.Send(n); err != nil {
					return // CloseAndRecv returns the status
				}
			}
		})
	}
	workers.Wait()
	return stream.CloseAndRecv()
}

// BrokenCount is a handler that sends numbers and, concurrently, heartbeats.
func BrokenCount(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	ctx, stop := context.WithCancel(stream.Context())
	var heart sync.WaitGroup
	heart.Go(func() { beat(ctx, stream.Send) })
	defer heart.Wait()
	defer stop()
	return count(req, stream.Send)
}
