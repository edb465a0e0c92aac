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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// How long the tests watch a side that notices nothing.
const watched = 55 * time.Second

// A span is when a side notices that its peer is gone, counted from then.
// The zero value means not while the test watches.
type span struct{ from, to time.Duration }

func (s span) String() string {
	if s == (span{}) {
		return fmt.Sprintf("not within %v", watched)
	}
	return fmt.Sprintf("%v to %v", s.from, s.to)
}

// The settings of chapter 05.
var (
	serverKeepalive = grpc.KeepaliveParams(
		keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 10 * time.Second})
	clientKeepalive = grpc.WithKeepaliveParams(
		keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second})
)

var pulled = []struct {
	settings, stream string
	quiet            time.Duration // at the least, before the cut
	server           []grpc.ServerOption
	client           []grpc.DialOption
	handlerEnds      span
	recvReturns      span
}{
	{settings: "defaults", stream: "Ticking", handlerEnds: span{20 * time.Second, 24 * time.Second}},
	{settings: "defaults", stream: "Quiet", quiet: time.Second, handlerEnds: span{26 * time.Second, 34 * time.Second}},
	{settings: "defaults", stream: "Quiet", quiet: 12 * time.Second, handlerEnds: span{15 * time.Second, 22 * time.Second}},
	{settings: "defaults", stream: "Slow", quiet: time.Second, handlerEnds: span{44 * time.Second, 52 * time.Second}},
	{
		settings: "keepalive", stream: "Ticking",
		server: []grpc.ServerOption{serverKeepalive}, client: []grpc.DialOption{clientKeepalive},
		handlerEnds: span{10 * time.Second, 14 * time.Second},
		recvReturns: span{10 * time.Second, 34 * time.Second},
	},
	{
		settings: "keepalive", stream: "Quiet", quiet: time.Second,
		server: []grpc.ServerOption{serverKeepalive}, client: []grpc.DialOption{clientKeepalive},
		handlerEnds: span{26 * time.Second, 34 * time.Second},
		recvReturns: span{26 * time.Second, 34 * time.Second},
	},
}

func TestPulledCable_IsNoticedAfter(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| Settings | Stream | The handler's context ends after | The client's `Recv` returns after |\n|---|---|---|---|\n")
	for _, tt := range pulled {
		name := strings.ToLower(tt.stream)
		if tt.quiet > 0 {
			name += fmt.Sprintf(", nothing for %v", tt.quiet)
		}
		fmt.Fprintf(&table, "| %s | %s | %v | %v |\n", tt.settings, name, tt.handlerEnds, tt.recvReturns)
		t.Run(tt.settings+" "+name, func(t *testing.T) {
			slow(t)
			t.Parallel()
			p := listen(t, tt.server...)
			stream := open(t, dial(t, p.addr, tt.client...), "/test/"+tt.stream)
			if tt.quiet > 0 {
				waitUntilQuiet(t, p.addr, tt.quiet)
			}

			start := time.Now()
			unplug(t, p.addr)
			returned := make(chan error, 1)
			go func() { returned <- end(stream) }()

			var handler, client span
			limit := time.After(watched)
			for range 2 {
				select {
				case ended := <-p.ended:
					handler.from = ended.Sub(start)
				case err := <-returned:
					client.from = time.Since(start)
					require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
				case <-limit:
				}
			}
			t.Logf("handler: %v, client: %v", handler.from, client.from)
			requireWithin(t, tt.handlerEnds, handler.from, "the handler")
			requireWithin(t, tt.recvReturns, client.from, "the client")
		})
	}
	golden.Section(t, "../../docs/tcp.md", "pulled", table.String())
}

func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("SLOW") == "" {
		t.Skip("takes up to a minute of real time: set SLOW=1 to run it")
	}
}

func requireWithin(t *testing.T, want span, got time.Duration, who string) {
	t.Helper()
	if want == (span{}) {
		require.Zero(t, got, "%s noticed the cut", who)
		return
	}
	require.GreaterOrEqual(t, got, want.from, who)
	require.LessOrEqual(t, got, want.to, who)
}

// The operating system's keepalive ends the stream of a client that has set
// none of its own. The test shortens the system's two hours on the socket.
func TestClient_IsEndedByTCPKeepalive(t *testing.T) {
	p := listen(t)
	stream := open(t, dial(t, p.addr), "/test/Quiet")
	waitUntilQuiet(t, p.addr, time.Second)
	clients, _ := sockets(t, p.addr)
	for name, seconds := range map[int]int{
		syscall.TCP_KEEPIDLE: 1, syscall.TCP_KEEPINTVL: 1, syscall.TCP_KEEPCNT: 2,
	} {
		require.NoError(t, syscall.SetsockoptInt(clients[0], syscall.IPPROTO_TCP, name, seconds))
	}
	start := time.Now()
	unplug(t, p.addr)
	err := end(stream)
	require.ErrorContains(t, err, "connection timed out")
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.InDelta(t, 3, time.Since(start).Seconds(), 1.5, "seconds: 1 + 2 × 1")
}

// A process that hangs does not read, but its system goes on acknowledging.
// TCP is content with that, and only a PING of HTTP/2 needs the process.
func TestHungServer_IsNoticedByKeepaliveOnly(t *testing.T) {
	slow(t)
	t.Parallel()
	server := testproc.Self(t, func() int {
		p := listen(t)
		fmt.Println(p.addr)
		select {}
	}, nil)
	addr := server.Line(server.Stdout)
	byDefault := open(t, dial(t, addr), "/test/Quiet")
	withKeepalive := open(t, dial(t, addr, clientKeepalive), "/test/Quiet")
	waits := make(chan error, 1)
	go func() { waits <- end(byDefault) }()

	server.Signal(syscall.SIGSTOP)
	start := time.Now()
	err := end(withKeepalive)
	require.ErrorContains(t, err, "keepalive ping failed to receive ACK within timeout")
	requireWithin(t, span{26 * time.Second, 34 * time.Second}, time.Since(start), "the client with keepalive")
	select {
	case err := <-waits:
		require.NoError(t, err, "the client without keepalive must still wait")
	default:
	}
	server.Signal(syscall.SIGCONT)
}

// A proxy answers TCP's probes on each side by itself, so neither side's TCP
// learns that the other hop is dead.
func TestProxy_HidesTheCutFromTCP(t *testing.T) {
	slow(t)
	t.Parallel()
	p := listen(t)
	proxyAddr := forward(t, p.addr)
	byDefault := open(t, dial(t, proxyAddr), "/test/Ticking")
	withKeepalive := open(t, dial(t, proxyAddr, clientKeepalive), "/test/Ticking")
	waits := make(chan error, 1)
	go func() { waits <- end(byDefault) }()

	start := time.Now()
	unplug(t, p.addr) // between the proxy and the server
	err := end(withKeepalive)
	require.ErrorContains(t, err, "keepalive ping failed to receive ACK within timeout")
	requireWithin(t, span{29 * time.Second, 34 * time.Second}, time.Since(start), "the client with keepalive")
	select {
	case err := <-waits:
		require.NoError(t, err, "the client without keepalive must still wait")
	default:
	}
}

// forward is a proxy of TCP that keeps a client's connection as long as the
// client does, and never tells it about the other hop.
func forward(t *testing.T, to string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(ctx, client, to)
		}
	}()
	return listener.Addr().String()
}

func relay(ctx context.Context, client net.Conn, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		_ = client.Close()
		return
	}
	context.AfterFunc(ctx, func() { _, _ = client.Close(), server.Close() })
	pump := func(dst, src net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			if err != nil {
				return
			}
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	go pump(server, client)
	pump(client, server)
}
