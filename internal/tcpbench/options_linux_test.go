package tcpbench

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/internal/golden"
)

// The options of a socket that decide when TCP gives up, in seconds.
type options struct {
	keepalive   bool          // SO_KEEPALIVE
	idle        int           // TCP_KEEPIDLE: the first probe
	interval    int           // TCP_KEEPINTVL: between two probes
	probes      int           // TCP_KEEPCNT: how many without an answer
	userTimeout time.Duration // TCP_USER_TIMEOUT: how long data may be unacknowledged
}

const tcpUserTimeout = 18 // package syscall names it on some architectures only

func optionsOf(t *testing.T, fd int) (o options) {
	t.Helper()
	get := func(level, name int) int {
		value, err := syscall.GetsockoptInt(fd, level, name)
		require.NoError(t, err)
		return value
	}
	o.keepalive = get(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0
	o.idle = get(syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
	o.interval = get(syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL)
	o.probes = get(syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
	o.userTimeout = time.Duration(get(syscall.IPPROTO_TCP, tcpUserTimeout)) * time.Millisecond
	return o
}

// system returns what a socket has that sets SO_KEEPALIVE and nothing else.
func system(t *testing.T) options {
	o := options{keepalive: true}
	for name, value := range map[string]*int{
		"time": &o.idle, "intvl": &o.interval, "probes": &o.probes,
	} {
		text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_keepalive_" + name)
		require.NoError(t, err)
		_, err = fmt.Sscan(string(text), value)
		require.NoError(t, err)
	}
	return o
}

// goDefault is what package net sets, for connections that it dials and for
// those that it accepts.
var goDefault = options{keepalive: true, idle: 15, interval: 15, probes: 9}

func (o options) withUserTimeout(d time.Duration) options {
	o.userTimeout = d
	return o
}

func TestSockets_HaveTheseOptions(t *testing.T) {
	dialTCP := func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	var table strings.Builder
	table.WriteString("| Socket | TCP keepalive begins | and gives up after | TCP_USER_TIMEOUT |\n|---|---|---|---|\n")
	for _, tt := range []struct {
		name   string
		server []grpc.ServerOption
		client []grpc.DialOption
		want   options
	}{
		{name: "client, by default", want: system(t)},
		{
			name:   "client with `WithContextDialer` and a `net.Dialer`",
			client: []grpc.DialOption{grpc.WithContextDialer(dialTCP)},
			want:   goDefault,
		},
		{
			name: "client with keepalive, `Timeout: 10 * time.Second`",
			client: []grpc.DialOption{grpc.WithKeepaliveParams(
				keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second})},
			want: system(t).withUserTimeout(10 * time.Second),
		},
		{name: "server, by default", want: goDefault.withUserTimeout(20 * time.Second)},
		{
			name: "server with keepalive, `Timeout: 10 * time.Second`",
			server: []grpc.ServerOption{grpc.KeepaliveParams(
				keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 10 * time.Second})},
			want: goDefault.withUserTimeout(10 * time.Second),
		},
	} {
		p := listen(t, tt.server...)
		open(t, dial(t, p.addr, tt.client...), "/test/Quiet")
		fds, servers := sockets(t, p.addr)
		if strings.HasPrefix(tt.name, "server") {
			fds = servers
		}
		require.Len(t, fds, 1)
		require.Equal(t, tt.want, optionsOf(t, fds[0]), tt.name)
		fmt.Fprintf(&table, "| %s | %s |\n", tt.name, tt.want)
	}
	if system(t).String() == (options{keepalive: true, idle: 7200, interval: 75, probes: 9}).String() {
		golden.Section(t, "../../docs/tcp.md", "options", table.String())
	}
}

func TestSockets_KeepaliveCanBeTurnedOff(t *testing.T) {
	listener, err := (&net.ListenConfig{KeepAlive: -1}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := serveOn(t, listener)
	open(t, dial(t, p.addr, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", addr)
	})), "/test/Quiet")
	clients, servers := sockets(t, p.addr)
	for _, fd := range append(clients, servers...) {
		require.False(t, optionsOf(t, fd).keepalive)
	}
}

func (o options) String() string {
	seconds := func(n int) string { return (time.Duration(n) * time.Second).String() }
	timeout := "not set"
	if o.userTimeout > 0 {
		timeout = o.userTimeout.String()
	}
	return fmt.Sprintf("after %s without data | %d probes, %s apart | %s",
		seconds(o.idle), o.probes, seconds(o.interval), timeout)
}
