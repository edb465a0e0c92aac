package errorcontract

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/internal/faultnet"
)

// A bench is where RPCs are observed.
type bench struct {
	listen   func(*testing.T) (net.Listener, faultnet.DialFunc)
	settle   func()        // waits until both sides have noticed what happened
	patience time.Duration // a call that takes longer blocks
	deadline time.Duration // of an RPC with a deadline
}

// inMemory runs in a bubble, where time is virtual. The header rounds the
// deadline up to 1.000001 s.
var inMemory = bench{
	listen: func(*testing.T) (net.Listener, faultnet.DialFunc) {
		l := bufconn.Listen(64 << 10)
		return l, func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }
	},
	settle:   synctest.Wait,
	patience: time.Minute,
	deadline: time.Second + time.Nanosecond,
}

// overTCP runs in real time. Nothing tells when both sides have noticed what
// happened, so it waits for a while.
func overTCP(while time.Duration) bench {
	return bench{
		listen:   listenTCP,
		settle:   func() { time.Sleep(while) },
		patience: min(50*while, 2*time.Second),
		deadline: min(50*while, 2*time.Second),
	}
}

func listenTCP(t *testing.T) (net.Listener, faultnet.DialFunc) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l, func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
}
