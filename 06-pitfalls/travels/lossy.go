package travels

import (
	"context"
	"net"
	"sync"
)

// lossy returns a dialer for connections that lose every byte as soon as
// r.lost is true. It is above the tap, which therefore still sees what the
// server sends.
func (r *recorder) lossy(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dial(ctx, addr)
		return &lossyConn{Conn: c, recorder: r, closed: make(chan struct{})}, err
	}
}

type lossyConn struct {
	net.Conn
	*recorder
	once   sync.Once
	closed chan struct{}
}

// Read implements [net.Conn].
func (c *lossyConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if !c.lost.Load() {
			return n, err
		}
		if err != nil { // the client does not learn that the server has closed
			<-c.closed
			return 0, err
		}
	}
}

// Write implements [net.Conn].
func (c *lossyConn) Write(p []byte) (int, error) {
	if c.lost.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close implements [net.Conn].
func (c *lossyConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
