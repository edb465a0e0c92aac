package errortexts

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
)

// connectionTimedOut pulls the cable of a client whose TCP keepalive takes
// two seconds instead of two hours: its socket drops what arrives.
func connectionTimedOut(t *testing.T) string {
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 1,
	}}
	dialed := make(chan net.Conn, 1)
	dial := grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		dialed <- conn
		return conn, err
	})
	return countTCP(t, framing(t, func(*http2.Framer, uint32, net.Conn) {
		time.Sleep(100 * time.Millisecond) // for acknowledgments that are on their way
		raw, err := (<-dialed).(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		drop := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}} // keep 0 bytes
		_ = raw.Control(func(fd uintptr) {
			err = syscall.AttachLsf(int(fd), drop) //nolint:staticcheck // x/net/bpf does not attach
		})
		require.NoError(t, err)
	}), dial)
}
