package deadpeer

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// A cable leads to a server and can be pulled: what is sent from then on, by
// either side, is lost, and nobody is told.
type cable struct {
	dial   func(context.Context, string) (net.Conn, error)
	pulled atomic.Bool
}

// Dial connects through the cable.
func (c *cable) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := c.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	closed, shut := context.WithCancel(context.Background())
	return &end{conn, c, closed, shut}, nil
}

// Pull pulls the cable.
func (c *cable) Pull() { c.pulled.Store(true) }

type end struct {
	net.Conn
	*cable
	closed context.Context
	shut   context.CancelFunc
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	for e.pulled.Load() {
		if err != nil { // a FIN is lost like all else
			<-e.closed.Done()
			return 0, net.ErrClosed
		}
		n, err = e.Conn.Read(p)
	}
	return n, err
}

func (e *end) Write(p []byte) (int, error) {
	if e.pulled.Load() {
		return len(p), nil
	}
	return e.Conn.Write(p)
}

// Close ends a Read.
func (e *end) Close() error {
	e.shut()
	if e.pulled.Load() {
		return e.SetDeadline(time.Now())
	}
	return e.Conn.Close()
}
