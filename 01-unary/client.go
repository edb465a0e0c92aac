package unary

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// Lines returns the last n lines of the server's log, oldest first. An error
// is the status of the call.
func Lines(ctx context.Context, c snapshotv1.SnapshotServiceClient, n int32) ([][]byte, error) {
	snapshot, err := c.GetSnapshot(ctx, &snapshotv1.SnapshotRequest{Lines: n})
	if err != nil {
		return nil, err
	}
	return snapshot.GetLines(), nil
}

// Retryable reports whether the code of err is Unavailable: the same call may
// succeed later, for example after a restart of the server.
func Retryable(err error) bool {
	return status.Code(err) == codes.Unavailable
}

// Poll returns an iterator over the last n lines of the server's log. It calls
// [Lines] at once, and then at ticks of interval, which must be greater
// than 0. The loop ends when a call fails or when ctx is done. The last error
// is the status of the call, or Canceled or DeadlineExceeded.
func Poll(
	ctx context.Context, c snapshotv1.SnapshotServiceClient, n int32, interval time.Duration,
) iter.Seq2[[][]byte, error] {
	// In for lines, err := range Poll(...), each yield runs the body of the
	// loop, and returns false if the body leaves it, for example by a break.
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
