package cancellation_test

import (
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
	t.Run("no tick is lost when processes are killed", func(t *testing.T) { testKills(t, dir) })
	t.Run("flags may have their least values", func(t *testing.T) { testLeastValues(t, dir) })
	t.Run("an interrupt ends the client", func(t *testing.T) { testInterrupt(t, dir) })
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

func testInterrupt(t *testing.T, dir string) {
	client := testproc.Start(t, filepath.Join(dir, "client"), "-resume")
	client.Line(client.Stdout)
	client.Signal(os.Interrupt)
	status, _, printed := client.Wait()
	require.Equal(t, "client: interrupted\n", printed)
	require.Equal(t, 130, status)
}

func testLeastValues(t *testing.T, dir string) {
	_, addr := startServer(t, filepath.Join(dir, "server"), "-addr=localhost:0", "-interval=1ms", "-retention=1")
	status, _, printed := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+addr, "-after=0").Wait()
	require.Equal(t, 1, status)
	require.Regexp(t, `^client: watch: OutOfRange: after: 0 is no longer held; the oldest is \d+\n$`, printed)

	_, gateway := startServer(t, filepath.Join(dir, "gateway"), "-addr=localhost:0", "-upstream="+addr)
	for _, addr := range []string{addr, gateway} {
		_, _, frames := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+addr, "-n=1", "-wire=all").Wait()
		require.Contains(t, frames, "MAX_CONCURRENT_STREAMS=1000 ", "streams of one connection")
	}
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
		{"client -after=now", 2, `client: invalid value "now" for flag -after: must be a number (see -help)`},
		{"client -symbols=\xff -resume", 1, "client: watch: InvalidArgument: request: string field contains invalid UTF-8"},
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
