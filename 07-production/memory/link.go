package memory

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"
)

// A DialFunc connects to a server, as grpc.WithContextDialer takes it.
type DialFunc = func(context.Context, string) (net.Conn, error)

// Link returns a [DialFunc] whose connections have a round-trip time: each
// byte can be read rtt/2 later than without it, in both directions. The link has
// no bandwidth limit, as long as at most 1,024 writes are in flight in each
// direction. In a bubble of testing/synctest the time is virtual.
func Link(dial DialFunc, rtt time.Duration) DialFunc {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		peer, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		c := &linkConn{
			Conn:  peer,
			delay: rtt / 2,
			in:    make(chan packet, 1024),
			out:   make(chan packet, 1024),
			done:  make(chan struct{}),
		}
		go c.receive()
		go c.send()
		return c, nil
	}
}

// A packet is bytes that are in flight.
type packet struct {
	due  time.Time
	data []byte
}

// A linkConn is the client's end of a connection of [Link].
type linkConn struct {
	net.Conn
	delay   time.Duration
	in, out chan packet
	rest    []byte // of the packet that Read has begun
	err     error  // why in is closed
	once    sync.Once
	done    chan struct{} // closed by Close
}

// Read is called by one goroutine of grpc-go.
func (c *linkConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		next, ok := <-c.in
		if !ok {
			return 0, c.err
		}
		if !c.arrives(next) {
			return 0, net.ErrClosed
		}
		c.rest = next.data
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *linkConn) Write(p []byte) (int, error) {
	select {
	case <-c.done: // also if out has room
		return 0, net.ErrClosed
	default:
	}
	select {
	case c.out <- packet{time.Now().Add(c.delay), bytes.Clone(p)}:
		return len(p), nil
	case <-c.done:
		return 0, net.ErrClosed
	}
}

func (c *linkConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}

// receive adds to in what the peer has written.
func (c *linkConn) receive() {
	defer close(c.in)
	p := make([]byte, 32<<10)
	for {
		n, err := c.Conn.Read(p)
		if err != nil {
			c.err = err
			return
		}
		select {
		case c.in <- packet{time.Now().Add(c.delay), bytes.Clone(p[:n])}:
		case <-c.done:
			c.err = net.ErrClosed
			return
		}
	}
}

// send passes to the peer what Write has added to out.
func (c *linkConn) send() {
	for {
		select {
		case next := <-c.out:
			if !c.arrives(next) {
				return
			}
			if _, err := c.Conn.Write(next.data); err != nil {
				return // Read returns an error too
			}
		case <-c.done:
			return
		}
	}
}

// arrives waits until the packet is due. It returns false if Close is called
// before.
func (c *linkConn) arrives(p packet) bool {
	select {
	case <-time.After(time.Until(p.due)):
		return true
	case <-c.done:
		return false
	}
}
