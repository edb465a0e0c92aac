package noreconnect

import (
	"context"
	"time"
)

// pause waits before a new attempt, or until ctx is done.
func pause(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
