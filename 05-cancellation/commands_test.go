package cancellation_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	cancellation "example.com/streams/05-cancellation"
	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	t.Run("no tick is lost when servers are killed", func(t *testing.T) { testKills(t, dir) })
	t.Run("a signal drains a server with a client", func(t *testing.T) { testDrain(t, dir) })
	t.Run("without -addr the client starts servers", func(t *testing.T) { testInProcess(t, dir) })
	t.Run("bad input is reported in one line", func(t *testing.T) { testBadInput(t, dir) })
	t.Run("the client escapes symbols", func(t *testing.T) { testEscape(t, dir) })
}

// startServer starts the executable of a server or a gateway, and returns the
// address at which it listens. startServer tries a few times, in case the
// system still uses the address.
func startServer(t *testing.T, executable string, args ...string) (p *testproc.Process, addr string) {
	t.Helper()
	printed := ""
	for range 10 {
		p = testproc.Start(t, executable, args...)
		line, _ := p.Stderr.ReadString('\n')
		if _, addr, ok := strings.Cut(line, ": listening on "); ok {
			return p, strings.TrimSpace(addr)
		}
		printed += line
		p.Wait()
	}
	require.FailNow(t, "the server does not start", printed)
	return nil, ""
}

func testKills(t *testing.T, dir string) {
	startExchange := func(addr string) (*testproc.Process, string) {
		return startServer(t, filepath.Join(dir, "server"), "-addr="+addr,
			"-seed=7", "-interval=5ms", "-retention=1000000")
	}
	exchange, exchangeAddr := startExchange("localhost:0")
	startGateway := func(addr string) (*testproc.Process, string) {
		return startServer(t, filepath.Join(dir, "gateway"), "-addr="+addr, "-upstream="+exchangeAddr)
	}
	gateway, gatewayAddr := startGateway("localhost:0")
	client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+gatewayAddr, "-resume")

	var last uint64
	_, err := fmt.Sscan(client.Line(client.Stdout), &last)
	require.NoError(t, err)
	x := &cancellation.Exchange{Seed: 7, Interval: 5 * time.Millisecond}
	requireNext50 := func() {
		t.Helper()
		for range 50 {
			last++
			tick := x.Tick(last)
			at, price := tick.GetTimestamp().AsTime(), float64(tick.GetPriceCents())/100
			want := fmt.Sprintf("%d %s %-8s %6.2f", last, at.Format(time.TimeOnly), tick.GetSymbol(), price)
			require.Equal(t, want, client.Line(client.Stdout))
		}
	}

	requireNext50()
	for range 4 {
		exchange.Signal(os.Kill)
		exchange.Wait()
		exchange, _ = startExchange(exchangeAddr)
		requireNext50()
	}
	gateway.Signal(os.Kill)
	gateway.Wait()
	startGateway(gatewayAddr)
	requireNext50()

	client.Signal(os.Interrupt)
	status, _, printed := client.Wait()
	require.Equal(t, 130, status, printed)
	require.GreaterOrEqual(t, strings.Count(printed, "client: Unavailable: "), 5, "failures: %s", printed)
	require.Contains(t, printed, "client: interrupted")
}

func testDrain(t *testing.T, dir string) {
	exchangeArgs := []string{"-interval=5ms", "-drain=1h"}
	exchange, addr := startServer(t, filepath.Join(dir, "server"), append(exchangeArgs, "-addr=localhost:0")...)
	gateway, gatewayAddr := startServer(t, filepath.Join(dir, "gateway"),
		"-addr=localhost:0", "-upstream="+addr, "-drain=1h")
	drain := func(server *testproc.Process, message string) {
		t.Helper()
		client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+gatewayAddr)
		client.Line(client.Stdout)

		server.Signal(syscall.SIGTERM)
		status, _, printed := server.Wait()
		require.Zero(t, status, printed)

		status, _, printed = client.Wait()
		require.Equal(t, 1, status)
		require.Regexp(t, "^client: watch: Unavailable: "+message+"\n$", printed)
	}
	drain(exchange, `shutting down; resume after \d+`)
	startServer(t, filepath.Join(dir, "server"), append(exchangeArgs, "-addr="+addr)...)
	drain(gateway, `shutting down; resume after your last tick`)
}

func testInProcess(t *testing.T, dir string) {
	status, ticks, printed := testproc.Start(t, filepath.Join(dir, "client"), "-n=1", "-symbols=ACME,GLOBEX,HOOLI").Wait()
	require.Zero(t, status, printed)
	require.Empty(t, printed)
	require.Regexp(t, `^\d+ \d\d:\d\d:\d\d (ACME|GLOBEX|HOOLI) +\d+\.\d\d\n$`, ticks)
}

func testBadInput(t *testing.T, dir string) {
	for _, tt := range []struct {
		command string
		status  int
		message string
	}{
		{"server -interval=1us", 2, "server: -interval: must be at least 1ms, got 1µs (see -help)"},
		{"server -retention=0", 2, "server: -retention: must be at least 1, got 0 (see -help)"},
		{"gateway", 2, `gateway: -upstream: must be host:port, got "" (see -help)`},
		{"gateway -upstream=here", 2, `gateway: -upstream: must be host:port, got "here" (see -help)`},
		{"gateway -upstream=localhost:50051", 2,
			"gateway: -upstream: must not be the gateway's own -addr, got localhost:50051 (see -help)"},
		{"client -n=-1", 2, "client: -n: must be at least 0, got -1 (see -help)"},
		{"client -symbols=A,,B", 2, `client: -symbols: must not contain an empty symbol, got "A,,B" (see -help)`},
		{"client now", 2, `client: unexpected argument "now" (see -help)`},
		{"client -symbols=NOPE -resume", 1, `client: watch: follow: not retryable: NotFound: ` +
			`symbols: must be among ["ACME" "GLOBEX" "HOOLI" "INITECH" "UMBRELLA"], got "NOPE"`},
	} {
		t.Run(tt.command, func(t *testing.T) {
			words := strings.Fields(tt.command)
			status, _, printed := testproc.Start(t, filepath.Join(dir, words[0]), words[1:]...).Wait()
			require.Equal(t, tt.status, status)
			require.Equal(t, tt.message+"\n", printed)
		})
	}
}

func testEscape(t *testing.T, dir string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	clearScreen := []string{"\x1b[2J"}
	x := &cancellation.Exchange{Symbols: clearScreen, Interval: time.Millisecond}
	tickerv1.RegisterTickerServiceServer(s, x)
	go func() { _ = s.Serve(listener) }()
	defer s.Stop()
	client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+listener.Addr().String(), "-n=1")
	status, ticks, printed := client.Wait()
	require.Zero(t, status, printed)
	require.Contains(t, ticks, `\x1b[2J`)
	require.NotContains(t, ticks, "\x1b")
}
