package cancellation_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	cancellation "example.com/streams/05-cancellation"
	"example.com/streams/internal/testproc"
)

// testKills kills the exchange, the gateway and followers with SIGKILL, at
// random moments. KILLS=100 go test -run TestCommands does so 100 times.
func testKills(t *testing.T, dir string) {
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("KILLS"), "9"))
	require.NoError(t, err, "KILLS")
	startExchange := func(addr string) (*testproc.Process, string) {
		return startServer(t, filepath.Join(dir, "server"), "-addr="+addr,
			"-seed=7", "-interval=5ms", "-retention=1000000")
	}
	exchange, exchangeAddr := startExchange("localhost:0")
	startGateway := func(addr string) (*testproc.Process, string) {
		return startServer(t, filepath.Join(dir, "gateway"), "-addr="+addr, "-upstream="+exchangeAddr)
	}
	gateway, gatewayAddr := startGateway("localhost:0")
	// The end of ctx kills the followers, and with them a test that waits for
	// a tick.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(kills)*time.Second)
	defer cancel()
	followers := make([]*follower, 3)
	for i := range followers {
		followers[i] = &follower{client: filepath.Join(dir, "client"), addr: gatewayAddr}
		followers[i].start(ctx, t)
	}

	for i := range kills {
		for _, f := range followers {
			f.requireNext(t, 1+rand.IntN(20))
		}
		<-time.After(rand.N(10 * time.Millisecond)) // not in the moment of a tick
		switch i % 3 {
		case 0:
			exchange.Signal(os.Kill)
			exchange.Wait()
			exchange, _ = startExchange(exchangeAddr)
		case 1:
			gateway.Signal(os.Kill)
			gateway.Wait()
			gateway, _ = startGateway(gatewayAddr)
		case 2:
			f := followers[rand.IntN(len(followers))]
			f.kill(t)
			f.start(ctx, t, "-after="+strconv.FormatUint(f.last, 10))
		}
	}
	ticks := 0
	for _, f := range followers {
		f.requireNext(t, 20)
		f.kill(t)
		ticks += f.ticks
	}
	t.Logf("%d kills, %d ticks", kills, ticks)
}

// A follower is a client that runs again after it was killed.
type follower struct {
	client, addr string
	process      *testproc.Process
	last         uint64 // the sequence of the last tick that it has printed
	ticks        int
}

func (f *follower) start(ctx context.Context, t *testing.T, args ...string) {
	args = append(args, "-addr="+f.addr, "-resume")
	f.process = testproc.StartCmd(t, exec.CommandContext(ctx, f.client, args...))
	go func(p *testproc.Process) { _, _ = io.Copy(io.Discard, p.Stderr) }(f.process) // one line per retry
}

// requireNext requires that the follower prints the next n ticks.
func (f *follower) requireNext(t *testing.T, n int) {
	t.Helper()
	for range n {
		f.require(t, f.process.Line(f.process.Stdout))
	}
}

// kill kills the follower. Lines that it has printed count.
func (f *follower) kill(t *testing.T) {
	t.Helper()
	f.process.Signal(os.Kill)
	rest, err := io.ReadAll(f.process.Stdout)
	require.NoError(t, err)
	for line := range strings.Lines(string(rest)) {
		f.require(t, strings.TrimSuffix(line, "\n"))
	}
}

// require requires that line is the tick that follows the last one.
func (f *follower) require(t *testing.T, line string) {
	t.Helper()
	if f.ticks == 0 {
		_, err := fmt.Sscan(line, &f.last)
		require.NoError(t, err, "the first line")
		f.last--
	}
	f.last++
	f.ticks++
	x := &cancellation.Exchange{Seed: 7, Interval: 5 * time.Millisecond}
	tick := x.Tick(f.last)
	require.Equal(t, fmt.Sprintf("%d %s %-8s %6.2f", f.last, tick.GetTimestamp().AsTime().Format(time.TimeOnly),
		tick.GetSymbol(), float64(tick.GetPriceCents())/100), line)
}
