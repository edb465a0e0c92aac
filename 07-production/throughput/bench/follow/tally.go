package follow

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bench/harness"
)

// A joiner starts followers of a server. Each calls seen for each entry that
// it receives, and returns when ctx ends.
type joiner func(ctx context.Context, group *errgroup.Group, n network, followers []*follower)

// A network connects followers with a server.
type network struct {
	addr    string
	tls     *tls.Config // nil: without TLS
	traffic *traffic    // nil: do not count
}

// A traffic counts what followers do.
type traffic struct {
	bytes atomic.Int64 // in both directions
	calls atomic.Int64
}

// dial connects to the server.
func (n network) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.addr)
	if err != nil {
		return nil, err
	}
	if n.traffic != nil {
		conn = countingConn{conn, n.traffic}
	}
	if n.tls != nil {
		conn = tls.Client(conn, n.tls)
	}
	return conn, nil
}

func (n network) dialTCP(ctx context.Context, _, _ string) (net.Conn, error) { return n.dial(ctx) }

func (n network) call() {
	if n.traffic != nil {
		n.traffic.calls.Add(1)
	}
}

// A countingConn counts the bytes of a connection.
type countingConn struct {
	net.Conn
	traffic *traffic
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.traffic.bytes.Add(int64(n))
	return n, err
}

func (c countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.bytes.Add(int64(n))
	return n, err
}

// A follower checks what one client receives. Its methods must not be called
// concurrently.
type follower struct {
	tally *tally
	last  uint64 // the sequence of the last entry; 0: none yet
	gaps  bool   // the server may leave entries out

	// arrived, if not nil, is called with the time at which an entry was
	// published. Then followers decode the whole entry.
	arrived func(published time.Time)
}

// seen counts an entry. It returns an error unless the sequence follows that
// of the last entry.
func (f *follower) seen(sequence uint64) error {
	if sequence <= f.last || sequence > f.last+1 && !f.gaps {
		return fmt.Errorf("sequence: must be %d, got %d", f.last+1, sequence)
	}
	f.last = sequence
	f.tally.add()
	return nil
}

func (f *follower) seenEntry(e *logsv1.LogEntry) error {
	if f.arrived != nil {
		f.arrived(e.GetTimestamp().AsTime())
	}
	return f.seen(e.GetSequence())
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
func (t *tally) join(r *harness.Run, start joiner, n network) {
	ctx, cancel := context.WithCancel(r.Context)
	group, ctx := errgroup.WithContext(ctx)
	start(ctx, group, n, t.followers)
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

// ended returns the error of a follower, unless its context has ended.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // the sample is over
	case err == nil:
		return errors.New("the stream has ended")
	default:
		return err
	}
}
