package message

import (
	"context"

	"golang.org/x/sync/errgroup"

	"example.com/streams/07-production/throughput/bench/harness"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// unary waits for the answer to each call.
func (w work) unary(r *harness.Run) (harness.Do, error) {
	client, err := w.client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) { return nil, w.call(r.Context, client, n) }, nil
}

// unary16 is 16 goroutines that call on one connection.
func (w work) unary16(r *harness.Run) (harness.Do, error) {
	client, err := w.client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		group, ctx := errgroup.WithContext(r.Context)
		const callers = 16
		for i := range callers {
			group.Go(func() error { return w.call(ctx, client, (n+i)/callers) })
		}
		return nil, group.Wait()
	}, nil
}

func (w work) call(ctx context.Context, client benchv1.BenchServiceClient, n int) error {
	p := w.payload()
	var bytes int64
	for range n {
		receipt, err := client.Send(ctx, p)
		if err != nil {
			return err
		}
		bytes += receipt.GetBytes()
	}
	return w.check("answers", int64(n), bytes, n)
}
