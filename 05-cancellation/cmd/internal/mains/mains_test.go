package mains

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	cancellation "example.com/streams/05-cancellation"
	"example.com/streams/internal/command/commandtest"
)

// TestMain lets the tests start the commands, each in a process of its own.
func TestMain(m *testing.M) {
	os.Exit(commandtest.Run(m, map[string]func() int{"server": Server, "gateway": Gateway, "client": Client}))
}

// A server is a process that can be started again on its address.
type server struct {
	*commandtest.Process
	addr string
	args []string
}

func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{args: args}
	s.startAgain(t)
	return s
}

// startAgain tries a few times, in case the system still needs the port.
func (s *server) startAgain(t *testing.T) {
	t.Helper()
	said := ""
	for range 10 {
		s.Process = commandtest.Start(t, s.args[0], s.args[1:]...)
		line, err := s.Stderr.ReadString('\n')
		if addr, ok := strings.CutPrefix(line, "server: listening on "); ok {
			require.NoError(t, err)
			s.addr = strings.TrimSpace(addr)
			s.args[1] = "-addr=" + s.addr
			return
		}
		said += line
		s.End()
	}
	require.FailNow(t, "the server does not start", said)
}

func (s *server) killAndStartAgain(t *testing.T) {
	t.Helper()
	s.Signal(os.Kill)
	status, _, said := s.End()
	require.Equal(t, -1, status, said)
	s.startAgain(t)
}

// Three processes: an exchange and a gateway that are killed and started
// again, and a client that follows.
func TestNoTickIsLostOrDoubledWhenTheServersAreKilled(t *testing.T) {
	exchange := startServer(t, "server", "-addr=localhost:0", "-seed=7", "-interval=5ms", "-history=1000000")
	gateway := startServer(t, "gateway", "-addr=localhost:0", "-upstream="+exchange.addr)
	client := commandtest.Start(t, "client", "-addr="+gateway.addr, "-resume")

	first, _, _ := strings.Cut(client.Line(client.Stdout), " ")
	last, err := strconv.ParseUint(first, 10, 64)
	require.NoError(t, err)
	x := cancellation.NewExchange(7)
	x.Interval = 5 * time.Millisecond
	check := func() {
		t.Helper()
		for range 50 {
			last++
			require.Equal(t, line(x.Tick(last)), client.Line(client.Stdout))
		}
	}

	check()
	for range 4 {
		exchange.killAndStartAgain(t)
		check()
	}
	gateway.killAndStartAgain(t)
	check()

	client.Signal(os.Interrupt)
	status, _, said := client.End()
	require.Equal(t, 130, status, said)
	require.GreaterOrEqual(t, strings.Count(said, "client: Unavailable: "), 5, "failures: %s", said)
	require.Contains(t, said, "client: interrupted")
	for _, s := range []*server{gateway, exchange} {
		s.Signal(syscall.SIGTERM)
		status, _, said := s.End()
		require.Zero(t, status, said)
	}
}

func TestASignalDrainsAServerThatAClientWatches(t *testing.T) {
	exchange := startServer(t, "server", "-addr=localhost:0", "-interval=5ms", "-drain=1h")
	gateway := startServer(t, "gateway", "-addr=localhost:0", "-upstream="+exchange.addr, "-drain=1h")
	drain := func(s *server, says string) {
		t.Helper()
		client := commandtest.Start(t, "client", "-addr="+gateway.addr)
		client.Line(client.Stdout)

		s.Signal(syscall.SIGTERM)
		status, _, said := s.End()
		require.Zero(t, status, said)

		status, _, said = client.End()
		require.Equal(t, 1, status)
		require.Equal(t, "client: watch: Unavailable: "+says+"\n", said)
	}
	drain(exchange, "the exchange is shutting down")
	exchange.startAgain(t)
	drain(gateway, "the gateway is shutting down")
}

func TestWithoutAnAddressTheClientBringsItsOwnServers(t *testing.T) {
	status, ticks, said := commandtest.Start(t, "client", "-n=1", "-symbols=ACME,GLOBEX,HOOLI").End()
	require.Zero(t, status, said)
	require.Empty(t, said)
	require.Regexp(t, `^\d+ \d\d:\d\d:\d\d (ACME|GLOBEX|HOOLI) +\d+\.\d\d\n$`, ticks)
}

func TestBadInputIsOneLineAndAStatus(t *testing.T) {
	for _, tt := range []struct {
		command string
		status  int
		says    string
	}{
		{"server -interval=1us", 2, "server: -interval 1µs is below 1ms (see -help)"},
		{"server -history=0", 2, "server: -history 0 is below 1 (see -help)"},
		{"gateway", 2, "server: -upstream is missing (see -help)"},
		{"gateway -upstream=here", 2, "server: -upstream: address here: missing port in address (see -help)"},
		{"gateway -upstream=localhost:50051", 2,
			"server: -upstream localhost:50051 is the gateway itself; give it another -addr (see -help)"},
		{"client -n=-1", 2, "client: -n -1 is negative (see -help)"},
		{"client -symbols=A,,B", 2, `client: invalid value "A,,B" for flag -symbols: a symbol is empty (see -help)`},
		{"client now", 2, `client: unexpected argument "now" (see -help)`},
		{"client -symbols=NOPE -resume", 1, `client: watch: follow: a retry cannot help: NotFound: symbols: ` +
			`there is no "NOPE"; there are ["ACME" "GLOBEX" "HOOLI" "INITECH" "UMBRELLA"]`},
	} {
		t.Run(tt.command, func(t *testing.T) {
			words := strings.Fields(tt.command)
			status, _, said := commandtest.Start(t, words[0], words[1:]...).End()
			require.Equal(t, tt.status, status)
			require.Equal(t, tt.says+"\n", said)
		})
	}
}

func TestWhatAServerCallsASymbolCannotAttackTheTerminal(t *testing.T) {
	tick := cancellation.NewExchange(1).Tick(1)
	tick.Symbol = "\x1b[2J"
	require.NotContains(t, line(tick), "\x1b")
}
