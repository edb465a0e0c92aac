package concurrentsend

import (
	"context"
	"iter"
	"sync"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedSum runs all sources concurrently, sends their numbers from one
// goroutine, and returns the response. A source that waits must end when ctx
// ends.
func FixedSum(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, sources ...iter.Seq[*pitfallsv1.Number],
) (*pitfallsv1.SumResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the workers
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	numbers := make(chan *pitfallsv1.Number)
	var workers sync.WaitGroup
	for _, source := range sources {
		workers.Go(func() {
			for n := range source {
				select {
				case numbers <- n:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(numbers)
	}()
	for n := range numbers {
		if stream.Send(n) != nil {
			break // CloseAndRecv returns the status
		}
	}
	return stream.CloseAndRecv()
}

// FixedCount is a handler that sends numbers and, between them, heartbeats.
func FixedCount(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	// A mutex would stop the virtual clock of the tests.
	lock := make(chan struct{}, 1)
	send := func(n *pitfallsv1.Number) error {
		lock <- struct{}{}
		defer func() { <-lock }()
		return stream.Send(n)
	}
	ctx, stop := context.WithCancel(stream.Context())
	var heart sync.WaitGroup
	heart.Go(func() { beat(ctx, send) })
	defer heart.Wait()
	defer stop()
	return count(req, send)
}
