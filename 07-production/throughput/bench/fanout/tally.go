package fanout

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"example.com/streams/07-production/throughput/bench/harness"
)

// A joiner starts followers of the server at addr. Each calls seen for each
// entry that it receives, and returns when ctx ends.
type joiner func(ctx context.Context, group *errgroup.Group, addr string, followers []*follower)

// A follower checks what one client receives. Its methods must not be called
// concurrently.
type follower struct {
	tally *tally
	last  uint64 // the sequence of the last entry; 0: none yet
}

// seen counts an entry. It returns an error unless the sequence follows that
// of the last entry.
func (f *follower) seen(sequence uint64) error {
	if sequence != f.last+1 {
		return fmt.Errorf("sequence: must be %d, got %d", f.last+1, sequence)
	}
	f.last = sequence
	f.tally.add()
	return nil
}

// A tally counts what all followers have received. Its methods may be called
// concurrently, except for expect and await.
type tally struct {
	followers []*follower
	received  atomic.Int64
	expected  atomic.Int64
	complete  chan struct{} // has a value when as much is received as is expected
	failed    chan error
}

// newTally expects one entry for each follower, by which we know that the
// follower is connected.
func newTally(followers int) *tally {
	t := &tally{complete: make(chan struct{}, 1), failed: make(chan error, 1)}
	for range followers {
		t.followers = append(t.followers, &follower{tally: t})
	}
	t.expect(followers)
	return t
}

// expect says how many entries come next. Nothing may be on its way.
func (t *tally) expect(entries int) { t.expected.Add(int64(entries)) }

func (t *tally) add() {
	if t.received.Add(1) == t.expected.Load() {
		t.complete <- struct{}{}
	}
}

// join starts the followers. They end with the sample.
func (t *tally) join(r *harness.Run, start joiner, addr string) {
	ctx, cancel := context.WithCancel(r.Context)
	group, ctx := errgroup.WithContext(ctx)
	start(ctx, group, addr, t.followers)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := group.Wait(); err != nil {
			t.failed <- err
		}
	}()
	r.Defer(func() error {
		cancel()
		<-ended
		return nil
	})
}

// await waits until all that is expected has been received.
func (t *tally) await(ctx context.Context) error {
	select {
	case <-t.complete:
		return nil
	case err := <-t.failed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("received %d of %d entries: %w", t.received.Load(), t.expected.Load(), context.Cause(ctx))
	}
}

// ended returns nil if a follower has failed because its context ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		return errors.New("the stream has ended")
	}
	return err
}
