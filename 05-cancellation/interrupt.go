package cancellation

import "context"

// RunUntil calls work, which does not use ctx but can be interrupted: a
// read that a deadline ends, or a query that another call aborts. If ctx
// ends first, RunUntil calls interrupt in a new goroutine, waits until work
// has returned, and returns the cause of ctx.
func RunUntil(ctx context.Context, work func() error, interrupt func()) error {
	stop := context.AfterFunc(ctx, interrupt)
	err := work()
	if !stop() {
		return context.Cause(ctx) // err only says that work was interrupted
	}
	return err
}

// WaitFor calls work, which nothing can interrupt, in a new goroutine. If
// ctx ends first, WaitFor returns the cause of ctx at once and work runs on.
// The caller must limit how many calls of work may run.
func WaitFor(ctx context.Context, work func() error) error {
	done := make(chan error, 1) // keeps a result that comes too late
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
