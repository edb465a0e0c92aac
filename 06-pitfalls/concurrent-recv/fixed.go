package concurrentrecv

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount calls handle for each number that req asks for, unless it returns
// an error. Two workers call handle concurrently. FixedCount returns when both
// have ended.
func FixedCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, handle func(int64),
) error {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	numbers := make(chan int64)
	worker := func() {
		for n := range numbers {
			handle(n)
		}
	}
	var workers sync.WaitGroup
	workers.Go(worker)
	workers.Go(worker)
	defer workers.Wait()
	defer close(numbers)
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case numbers <- n.GetValue():
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}
