package cancellation

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

// A badNet is a network whose connections fail when told to. It counts the
// faults that happened.
type badNet struct {
	dial dialFunc

	mu      sync.Mutex
	current *badConn // the newest connection
	refuse  int      // how many dials are still to fail
	faults  map[string]int
}

// between puts the network between a client and what dial connects it to.
func (n *badNet) between(dial dialFunc) dialFunc {
	n.dial = dial
	return n.Dial
}

func (n *badNet) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.refused() {
		return nil, errors.New("connection refused")
	}
	c, err := n.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.current = &badConn{Conn: c, net: n, closed: make(chan struct{})}
	return n.current, nil
}

func (n *badNet) refused() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse == 0 {
		return false
	}
	if n.refuse--; n.refuse == 0 {
		n.countLocked("refuse")
	}
	return true
}

// refuseNext makes dials fail, and lets the client dial.
func (n *badNet) refuseNext(dials int) {
	n.mu.Lock()
	n.refuse = dials
	c := n.current
	n.mu.Unlock()
	c.end()
}

// conn returns the newest connection, and whether it still works.
func (n *badNet) conn() (c *badConn, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current, n.current != nil && !n.current.failed()
}

// mustConn returns the newest connection, which must work.
func (n *badNet) mustConn(t require.TestingT) *badConn {
	c, ok := n.conn()
	require.True(t, ok, "there is no connection")
	return c
}

func (n *badNet) count(fault string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.countLocked(fault)
}

// happened returns how many faults there were.
func (n *badNet) happened() (total int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, count := range n.faults {
		total += count
	}
	return total
}

func (n *badNet) countLocked(fault string) {
	if n.faults == nil {
		n.faults = map[string]int{}
	}
	n.faults[fault]++
}

// A badConn is the client's end of a connection.
type badConn struct {
	net.Conn
	net    *badNet
	close  sync.Once
	closed chan struct{}
	ended  atomic.Bool // by the other end, as it seems
	silent atomic.Bool
	cut    atomic.Bool  // the next bytes from the server
	delay  atomic.Int64 // of what comes next from the server, in ns
	late   atomic.Bool  // it is being delayed
}

// drop closes the connection, as the end of a process does.
func (c *badConn) drop() {
	c.net.count("drop")
	c.end()
}

func (c *badConn) end() {
	c.ended.Store(true)
	_ = c.Close()
}

// silence makes the connection half-open: from now on all bytes are lost,
// and neither end learns that the other one closed.
func (c *badConn) silence() {
	c.net.count("half-open")
	c.silent.Store(true)
	_ = c.SetReadDeadline(time.Now()) // wakes the Read that waits
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
	if c.delay.Load() > 0 {
		c.wait()
	}
	if c.silent.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	// What arrives together ends with a whole frame. Without its last
	// byte it ends in the middle of one.
	if n > 1 && c.cut.Swap(false) {
		c.net.count("cut in mid-frame")
		c.end()
		return n - 1, nil
	}
	if err != nil && c.ended.Load() {
		err = io.EOF
	}
	return n, err
}

func (c *badConn) wait() {
	c.net.count("delay")
	c.late.Store(true)
	select {
	case <-time.After(time.Duration(c.delay.Swap(0))):
	case <-c.closed:
	}
	c.late.Store(false)
}

// Write does not fail while the news that the server is gone is delayed.
func (c *badConn) Write(p []byte) (int, error) {
	if c.silent.Load() {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if err != nil && (c.delay.Load() > 0 || c.late.Load()) {
		return len(p), nil
	}
	return n, err
}

func (c *badConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	if c.silent.Load() {
		return nil // the server does not see it
	}
	return c.Conn.Close()
}
