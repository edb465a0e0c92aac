package sharedlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Generate appends "line 1", "line 2", ... in this interval until ctx is
// done, or until it has appended n lines; n = 0: without end. It returns how
// many lines the engine has confirmed. If it returns an error, the log may
// have one more. The interval must be greater than 0.
func Generate(ctx context.Context, log *Log, n int, interval time.Duration) (int, error) {
	source := rand.Uint64() // the ids of another run are others
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	// A line that was begun is completed, or nobody knows whether the log has
	// it. If the engine does not answer, Generate gives up 10 s after ctx.
	appending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(10*time.Second, cancel) })()
	for i := 1; n == 0 || i <= n; i++ {
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
		if ctx.Err() != nil { // also if both were ready
			return i - 1, nil
		}
		_, err := log.Append(appending, fmt.Sprintf("%x-%d", source, i), fmt.Sprint("line ", i), false)
		if err != nil {
			return i - 1, err
		}
	}
	return n, nil
}
