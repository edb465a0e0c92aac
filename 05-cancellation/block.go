package cancellation

import "context"

// RunUntil runs work that knows no context but can be interrupted, such as
// a read that a deadline ends or a query that a second call aborts. When ctx
// is done it calls interrupt, waits for work to return, and returns the cause.
func RunUntil(ctx context.Context, work func() error, interrupt func()) error {
	stop := context.AfterFunc(ctx, interrupt)
	err := work()
	if !stop() {
		return context.Cause(ctx) // err only says that work was interrupted
	}
	return err
}

// WaitFor runs work that nothing can interrupt. When ctx is done it returns
// the cause at once, but work runs on to its end: bound how many may.
func WaitFor(ctx context.Context, work func() error) error {
	done := make(chan error, 1) // holds the result if nobody waits for it
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A Lock is a mutex that a context can stop you waiting for, as it cannot
// with a [sync.Mutex]. Make one with [NewLock].
type Lock struct{ held chan struct{} }

// NewLock returns a lock that nobody holds.
func NewLock() Lock { return Lock{make(chan struct{}, 1)} }

// Lock waits until nobody holds l, and returns nil. When ctx is done first,
// it returns the cause, and you do not hold l.
func (l Lock) Lock(ctx context.Context) error {
	select {
	case l.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Unlock lets the next one in.
func (l Lock) Unlock() { <-l.held }
