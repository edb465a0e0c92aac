package memory_test

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/07-production/memory"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

func requireBetween(t *testing.T, limits [2]int64, got int64) {
	t.Helper()
	require.GreaterOrEqual(t, got, limits[0])
	require.LessOrEqual(t, got, limits[1])
}

// heap returns how many bytes of the heap are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // the first one leaves what is in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A counter counts the bytes of its connections, in both directions.
type counter struct {
	dial  memory.DialFunc
	bytes atomic.Int64
}

func (c *counter) DialContext(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := c.dial(ctx, addr)
	return countedConn{conn, c}, err
}

type countedConn struct {
	net.Conn
	counter *counter
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.counter.bytes.Add(int64(n))
	return n, err
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.counter.bytes.Add(int64(n))
	return n, err
}
