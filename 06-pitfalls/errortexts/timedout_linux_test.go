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

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// connectionTimedOut pulls the cable of a client whose TCP keepalive takes
// two seconds instead of more than two hours: its socket drops what arrives.
func connectionTimedOut(t *testing.T) string {
	addr := framing(t, func(f *http2.Framer, stream uint32, _ net.Conn) { header(f, stream) })
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 1,
	}}
	dialed := make(chan net.Conn, 1)
	conn, err := grpc.NewClient(addr, withInsecure,
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, "tcp", addr)
			dialed <- conn
			return conn, err
		}))
	require.NoError(t, err)
	defer conn.Close()
	ctx := pitfalltest.WithTimeout(t, 30*time.Second)
	stream, err := pitfallsv1.NewPitfallServiceClient(conn).Count(ctx, &pitfallsv1.CountRequest{})
	require.NoError(t, err)
	_, err = stream.Header()
	require.NoError(t, err) // with the header, the server has acknowledged everything

	drop := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}} // keep 0 bytes
	socket, err := (<-dialed).(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, socket.Control(func(fd uintptr) {
		err = syscall.AttachLsf(int(fd), drop) //nolint:staticcheck // x/net/bpf does not attach
	}))
	require.NoError(t, err)

	_, err = stream.Recv()
	return err.Error()
}
