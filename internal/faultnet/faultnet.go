// Package faultnet puts a network between a client and a server in memory,
// whose connections fail when a test tells them to.
package faultnet

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// The names under which [Network.Faults] counts what has happened.
const (
	Closed   = "closed"             // Conn.Drop
	HalfOpen = "half-open"          // Conn.HalfOpen
	CutFrame = "cut inside a frame" // Conn.CutFrame
	Delayed  = "delayed"            // Conn.Delay
	Refused  = "refused"            // Network.Refuse
)

// DialFunc connects to a server, as grpc.WithContextDialer takes it.
type DialFunc = func(context.Context, string) (net.Conn, error)

// A Network dials connections that can fail. Its methods, and those of its
// connections, may be called concurrently.
type Network struct {
	dial DialFunc

	mu      sync.Mutex
	current *Conn // the newest connection
	refuse  int   // how many dials will fail
	faults  map[string]int
}

// New returns a network between a client and what dial connects to.
func New(dial DialFunc) *Network {
	return &Network{dial: dial, faults: map[string]int{}}
}

// DialContext connects through the network. It is a [DialFunc].
func (n *Network) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	if n.refused() {
		return nil, errors.New("connection refused")
	}
	c, err := n.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.current = &Conn{Conn: c, net: n, closed: make(chan struct{})}
	return n.current, nil
}

func (n *Network) refused() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse == 0 {
		return false
	}
	if n.refuse--; n.refuse == 0 {
		n.faults[Refused]++
	}
	return true
}

// Refuse closes the newest connection, if there is one, and makes the next dials
// fail. It counts as one fault when the last of them has failed.
func (n *Network) Refuse(dials int) {
	n.mu.Lock()
	n.refuse = dials
	c := n.current
	n.mu.Unlock()
	if c != nil {
		c.end()
	}
}

// Conn returns the newest connection, or nil if there is none or it has failed.
func (n *Network) Conn() *Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil || n.current.failed() {
		return nil
	}
	return n.current
}

// Faults returns how often each fault has happened.
func (n *Network) Faults() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.faults)
}

func (n *Network) count(fault string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[fault]++
}

// A Conn is the client's end of a connection. Its methods may be called
// concurrently.
type Conn struct {
	net.Conn
	net      *Network
	once     sync.Once
	closed   chan struct{}
	ended    atomic.Bool // it looks as if the other end had closed it
	halfOpen atomic.Bool
	cut      atomic.Bool  // the next bytes from the server
	delay    atomic.Int64 // of the next bytes from the server, in nanoseconds
	delaying atomic.Bool
}

// Drop closes the connection at both ends, as the end of a process does.
func (c *Conn) Drop() {
	c.net.count(Closed)
	c.end()
}

func (c *Conn) end() {
	c.ended.Store(true)
	_ = c.Close()
}

// HalfOpen loses all bytes from now on, in both directions, as a pulled
// cable does. Neither end learns that the other one closes.
func (c *Conn) HalfOpen() {
	c.net.count(HalfOpen)
	c.halfOpen.Store(true)
	_ = c.SetReadDeadline(time.Now()) // wakes the Read that waits
}

// CutFrame closes the connection before the last of the next bytes from the
// server, which is inside a frame.
func (c *Conn) CutFrame() { c.cut.Store(true) }

// Delay holds back the next bytes from the server for d.
func (c *Conn) Delay(d time.Duration) { c.delay.Store(int64(d)) }

func (c *Conn) failed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return c.halfOpen.Load()
	}
}

// Read implements [net.Conn].
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.delay.Load() > 0 {
		c.wait()
	}
	if c.halfOpen.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	// What arrives together usually ends with a whole frame. Without its
	// last byte it ends inside one.
	if n > 1 && c.cut.Swap(false) {
		c.net.count(CutFrame)
		c.end()
		return n - 1, nil
	}
	if err != nil && c.ended.Load() {
		err = io.EOF
	}
	return n, err
}

func (c *Conn) wait() {
	c.net.count(Delayed)
	c.delaying.Store(true)
	defer c.delaying.Store(false)
	select {
	case <-time.After(time.Duration(c.delay.Swap(0))):
	case <-c.closed:
	}
}

// Write implements [net.Conn]. It does not fail while what the server sent
// last is delayed: the client cannot know yet that the server has closed.
func (c *Conn) Write(p []byte) (int, error) {
	if c.halfOpen.Load() {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if err != nil && (c.delay.Load() > 0 || c.delaying.Load()) {
		return len(p), nil
	}
	return n, err
}

// Close implements [net.Conn].
func (c *Conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	if c.halfOpen.Load() {
		return nil // the server does not see it
	}
	return c.Conn.Close()
}
