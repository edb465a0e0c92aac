package unary

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// Lines returns the last n lines of the server's log, oldest first, or the
// status of the call.
func Lines(ctx context.Context, c snapshotv1.SnapshotServiceClient, n int32) ([][]byte, error) {
	snapshot, err := c.GetSnapshot(ctx, &snapshotv1.SnapshotRequest{Lines: n})
	if err != nil {
		return nil, err
	}
	return snapshot.GetLines(), nil
}

// Poll yields the last n lines, the first time at once and then once per
// interval, which must be more than 0. It ends when a call fails or ctx is
// done, and yields the status of that call, Canceled or DeadlineExceeded
// last.
func Poll(
	ctx context.Context, c snapshotv1.SnapshotServiceClient, n int32, interval time.Duration,
) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			lines, err := Lines(ctx, c, n)
			if !yield(lines, err) || err != nil {
				return
			}
			select {
			case <-ctx.Done():
				yield(nil, status.FromContextError(ctx.Err()).Err())
				return
			case <-ticker.C:
			}
		}
	}
}
