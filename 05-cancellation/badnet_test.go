package cancellation

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

var errRefused = errors.New("connection refused")

// A badNet is a network whose connections can be made to fail. It works
// well until told otherwise.
type badNet struct {
	dial dialFunc

	mu      sync.Mutex
	current *badConn // the newest connection
	refuse  int      // how many dials are still to fail
}

// between puts the network between a client and what dial connects it to.
func (n *badNet) between(dial dialFunc) dialFunc {
	n.dial = dial
	return n.Dial
}

func (n *badNet) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.refused() {
		return nil, errRefused
	}
	c, err := n.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.current = &badConn{Conn: c, closed: make(chan struct{})}
	return n.current, nil
}

func (n *badNet) refused() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse == 0 {
		return false
	}
	n.refuse--
	return true
}

// conn returns the newest connection, or nil if that has failed already.
func (n *badNet) conn() *badConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil || n.current.failed() {
		return nil
	}
	return n.current
}

// A badConn is a client's end of a connection, with ways to fail.
type badConn struct {
	net.Conn
	closed  chan struct{} // by the client, or by a fault that both ends see
	close   sync.Once
	silent  atomic.Bool
	cut     atomic.Bool
	waiting atomic.Int64 // nanoseconds by which the next Read is delayed
}

// drop closes the connection, as a process that is killed does.
func (c *badConn) drop() { _ = c.Close() }

// cutNext passes on a part of the next bytes from the server, and drops the
// connection. What arrives together begins with a frame, so a part of it
// ends in mid-frame.
func (c *badConn) cutNext() { c.cut.Store(true) }

// delayNext holds the next bytes from the server back.
func (c *badConn) delayNext(d time.Duration) { c.waiting.Store(int64(d)) }

// silence makes the connection half-open: all bytes are lost from now on,
// in both directions, and neither end learns when the other one closes.
func (c *badConn) silence() {
	c.silent.Store(true)
	_ = c.Conn.SetReadDeadline(time.Now()) // wakes the Read that waits
}

func (c *badConn) failed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return c.silent.Load()
	}
}

func (c *badConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if d := c.waiting.Swap(0); d > 0 {
		select {
		case <-time.After(time.Duration(d)):
		case <-c.closed:
		}
	}
	if c.silent.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	if n > 1 && c.cut.Swap(false) {
		c.drop()
		return n - 1, nil
	}
	return n, err
}

func (c *badConn) Write(p []byte) (int, error) {
	if c.silent.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *badConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	if c.silent.Load() {
		return nil // the server does not see it
	}
	return c.Conn.Close()
}
