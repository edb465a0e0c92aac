package cancellation_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
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

// A command is a server or a gateway that can be started again with the same
// address.
type command struct {
	*testproc.Process
	executable string
	addr       string
	args       []string
}

func startCommand(t *testing.T, executable string, args ...string) *command {
	t.Helper()
	c := &command{executable: executable, addr: "localhost:0", args: args}
	c.start(t)
	return c
}

// start tries a few times, in case the system still uses the port.
func (c *command) start(t *testing.T) {
	t.Helper()
	printed := ""
	for range 10 {
		c.Process = testproc.Start(t, c.executable, append(c.args, "-addr="+c.addr)...)
		line, _ := c.Stderr.ReadString('\n')
		if addr, ok := strings.CutPrefix(line, "server: listening on "); ok {
			c.addr = strings.TrimSpace(addr)
			return
		}
		printed += line
		c.Wait()
	}
	require.FailNow(t, "the command does not start", printed)
}

func (c *command) killAndStart(t *testing.T) {
	t.Helper()
	c.Signal(os.Kill)
	status, _, printed := c.Wait()
	require.NotZero(t, status, printed)
	c.start(t)
}

// line returns the line that the client prints for a tick.
func line(tick *tickerv1.Tick) string {
	return fmt.Sprintf("%d %s %-8s %6.2f", tick.GetSequence(),
		tick.GetTimestamp().AsTime().Format(time.TimeOnly), tick.GetSymbol(), float64(tick.GetPriceCents())/100)
}

func testKills(t *testing.T, dir string) {
	exchange := startCommand(t, filepath.Join(dir, "server"), "-seed=7", "-interval=5ms", "-retention=1000000")
	gateway := startCommand(t, filepath.Join(dir, "gateway"), "-upstream="+exchange.addr)
	client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+gateway.addr, "-resume")

	first, _, _ := strings.Cut(client.Line(client.Stdout), " ")
	last, err := strconv.ParseUint(first, 10, 64)
	require.NoError(t, err)
	x := &cancellation.Exchange{Seed: 7, Interval: 5 * time.Millisecond}
	requireNext50 := func() {
		t.Helper()
		for range 50 {
			last++
			require.Equal(t, line(x.Tick(last)), client.Line(client.Stdout))
		}
	}

	requireNext50()
	for range 4 {
		exchange.killAndStart(t)
		requireNext50()
	}
	gateway.killAndStart(t)
	requireNext50()

	client.Signal(os.Interrupt)
	status, _, printed := client.Wait()
	require.Equal(t, 130, status, printed)
	require.GreaterOrEqual(t, strings.Count(printed, "client: Unavailable: "), 5, "failures: %s", printed)
	require.Contains(t, printed, "client: interrupted")
	for _, c := range []*command{gateway, exchange} {
		c.Signal(syscall.SIGTERM)
		status, _, printed := c.Wait()
		require.Zero(t, status, printed)
	}
}

func testDrain(t *testing.T, dir string) {
	exchange := startCommand(t, filepath.Join(dir, "server"), "-interval=5ms", "-drain=1h")
	gateway := startCommand(t, filepath.Join(dir, "gateway"), "-upstream="+exchange.addr, "-drain=1h")
	drain := func(c *command, message string) {
		t.Helper()
		client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+gateway.addr)
		client.Line(client.Stdout)

		c.Signal(syscall.SIGTERM)
		status, _, printed := c.Wait()
		require.Zero(t, status, printed)

		status, _, printed = client.Wait()
		require.Equal(t, 1, status)
		require.Regexp(t, "^client: watch: Unavailable: "+message+"\n$", printed)
	}
	drain(exchange, `shutting down; resume after \d+`)
	exchange.start(t)
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

// A clearScreen server sends a symbol that would clear a terminal.
type clearScreen struct {
	tickerv1.UnimplementedTickerServiceServer
}

func (clearScreen) Watch(_ *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
	return stream.Send(&tickerv1.Tick{Symbol: "\x1b[2J"})
}

func testEscape(t *testing.T, dir string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	tickerv1.RegisterTickerServiceServer(s, clearScreen{})
	go func() { _ = s.Serve(listener) }()
	defer s.Stop()
	client := testproc.Start(t, filepath.Join(dir, "client"), "-addr="+listener.Addr().String(), "-n=1")
	status, ticks, printed := client.Wait()
	require.Zero(t, status, printed)
	require.Contains(t, ticks, `\x1b[2J`)
	require.NotContains(t, ticks, "\x1b")
}
