package unary

import (
	"context"
	"time"

	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
)

// Lines returns the last n lines of the server's log, oldest first.
func Lines(ctx context.Context, c snapshotv1.SnapshotServiceClient, n int32) ([][]byte, error) {
	snapshot, err := c.GetSnapshot(ctx, &snapshotv1.SnapshotRequest{Lines: n})
	if err != nil {
		return nil, err
	}
	return snapshot.GetLines(), nil
}

// Poll calls show with the last n lines, now and then once per interval,
// until ctx is done or a call fails. It returns that call's status, or
// Canceled or DeadlineExceeded.
func Poll(
	ctx context.Context, c snapshotv1.SnapshotServiceClient,
	n int32, interval time.Duration, show func([][]byte),
) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		lines, err := Lines(ctx, c, n)
		if err != nil {
			return err
		}
		show(lines)
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-ticker.C:
		}
	}
}
