package cancellation

import "context"

// RunUntil calls work, which does not use ctx but can be interrupted: a
// read that a deadline ends, or a query that another call aborts. If ctx
// ends first, RunUntil calls interrupt in a new goroutine, waits until both
// have returned, and returns the cause of ctx, or nil if work returned nil.
//
// The caller undoes what interrupt did: a deadline in the past, for example,
// also ends the next read.
func RunUntil(ctx context.Context, work func() error, interrupt func()) error {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { interrupt(); close(interrupted) })
	err := work()
	if !stop() {
		<-interrupted // so that it does not reach the next work
		if err != nil {
			err = context.Cause(ctx) // err may only say that work was interrupted
		}
	}
	return err
}

// WaitFor calls work, which nothing can interrupt, in a new goroutine. If
// ctx ends while work runs, WaitFor returns the cause of ctx at once and work runs on.
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
