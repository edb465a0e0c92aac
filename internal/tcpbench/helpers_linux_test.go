package tcpbench

import (
	"cmp"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The intervals of the messages, by method. A stream of another method has one
// message.
var intervals = map[string]time.Duration{"/test/Ticking": 100 * time.Millisecond, "/test/Slow": 28 * time.Second}

// A peer is a gRPC server on a TCP port.
type peer struct {
	*grpc.Server
	addr  string
	ended chan time.Time // when a handler returned
}

func listen(t *testing.T, opts ...grpc.ServerOption) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveOn(t, listener, opts...)
}

func serveOn(t *testing.T, listener net.Listener, opts ...grpc.ServerOption) *peer {
	t.Helper()
	p := &peer{addr: listener.Addr().String(), ended: make(chan time.Time, 10)}
	p.Server = grpc.NewServer(append([]grpc.ServerOption{grpc.UnknownServiceHandler(p.handle), grpc.WaitForHandlers(true)}, opts...)...)
	served := make(chan error, 1)
	go func() { served <- p.Serve(listener) }()
	t.Cleanup(func() {
		p.Stop()
		require.NoError(t, <-served)
	})
	return p
}

func (p *peer) handle(_ any, stream grpc.ServerStream) error {
	defer func() { p.ended <- time.Now() }()
	method, _ := grpc.MethodFromServerStream(stream)
	for {
		if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
			return err
		}
		wait := cmp.Or(intervals[method], 1<<63-1)
		select {
		case <-time.After(wait):
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func dial(t *testing.T, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	conn, err := grpc.NewClient("passthrough:///"+addr, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// open opens a stream and receives the first message.
func open(t *testing.T, conn *grpc.ClientConn, method string) grpc.ClientStream {
	t.Helper()
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, method)
	require.NoError(t, err)
	require.NoError(t, stream.CloseSend())
	require.NoError(t, stream.RecvMsg(&emptypb.Empty{}))
	return stream
}

// end receives until the stream ends.
func end(stream grpc.ClientStream) error {
	for {
		if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
			return err
		}
	}
}

// sockets returns the file descriptors of this process that are connected
// to addr, and those that addr has accepted.
func sockets(t *testing.T, addr string) (clients, servers []int) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		remote, err := syscall.Getpeername(fd)
		if err != nil {
			continue // not a connected socket
		}
		local, err := syscall.Getsockname(fd)
		if err != nil {
			continue // closed meanwhile
		}
		if portOf(remote) == port {
			clients = append(clients, fd)
		}
		if portOf(local) == port {
			servers = append(servers, fd)
		}
	}
	return clients, servers
}

func portOf(a syscall.Sockaddr) string {
	if a, ok := a.(*syscall.SockaddrInet4); ok {
		return strconv.Itoa(a.Port)
	}
	return ""
}

// unplug makes the sockets of all connections to addr drop what arrives.
// Neither side learns of it, as when a cable is pulled between the two: no
// data, no acknowledgment, no FIN and no RST arrives.
func unplug(t *testing.T, addr string) {
	t.Helper()
	clients, servers := sockets(t, addr)
	require.NotEmpty(t, clients)
	require.Len(t, servers, len(clients))
	drop := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}} // keep 0 bytes
	for _, fd := range append(clients, servers...) {
		//nolint:staticcheck // golang.org/x/net/bpf filters sockets of packets only
		require.NoError(t, syscall.AttachLsf(fd, drop))
	}
}

// waitUntilQuiet waits until the sockets have sent and received nothing for
// d. Data that is under way would start TCP_USER_TIMEOUT.
func waitUntilQuiet(t *testing.T, addr string, d time.Duration) {
	t.Helper()
	clients, servers := sockets(t, addr)
	for _, fd := range append(clients, servers...) {
		require.Eventually(t, func() bool {
			info := infoOf(t, fd)
			return info.Unacked == 0 && min(info.Last_data_sent, info.Last_data_recv) > uint32(d.Milliseconds())
		}, d+10*time.Second, 10*time.Millisecond)
	}
}

func infoOf(t *testing.T, fd int) (info syscall.TCPInfo) {
	t.Helper()
	size := uint32(syscall.SizeofTCPInfo)
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	require.Zero(t, errno)
	return info
}
