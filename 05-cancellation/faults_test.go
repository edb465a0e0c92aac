package cancellation

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/faultnet"
)

// A fault is something that can happen to a hop.
type fault struct {
	name   string // in faults
	inject func(h *hop, random *rand.Rand)
	why    string // the error of the call, or of the next one
}

var faults = []fault{
	{faultnet.Closed, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.Drop() }),
		"error reading from server: EOF"},
	{faultnet.CutFrame, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.CutFrame() }),
		"error reading from server: unexpected EOF"},
	{faultnet.Delayed, onConn(func(c *faultnet.Conn, random *rand.Rand) { c.Delay(below(random, 15*time.Second)) }),
		""}, // the call does not fail
	{faultnet.HalfOpen, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.HalfOpen() }),
		"keepalive ping failed to receive ACK within timeout"},
	{faultnet.Refused, func(h *hop, random *rand.Rand) { h.net.Refuse(1 + random.IntN(3)) },
		"connection refused"},
	{"restarted", func(h *hop, random *rand.Rand) {
		h.stop()
		time.Sleep(below(random, 10*time.Second))
		h.start(h.ticker())
		h.restarts.Add(1)
	}, "connection refused: the server is down"},
}

// onConn returns a fault of the connection, which does nothing if there is
// none that works.
func onConn(fail func(*faultnet.Conn, *rand.Rand)) func(*hop, *rand.Rand) {
	return func(h *hop, random *rand.Rand) {
		if c := h.net.Conn(); c != nil {
			fail(c, random)
		}
	}
}

func below(random *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(limit)))
}

func TestFollow_RecoversFromEachFault(t *testing.T) {
	for _, f := range faults {
		for i, where := range []string{"at the gateway", "at the exchange"} {
			t.Run(f.name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hops, c := dialHops(t, func() tickerv1.TickerServiceServer { return new(Exchange) })
					time.AfterFunc(10500*time.Millisecond, func() { f.inject(hops[i], rand.New(rand.NewPCG(1, 1))) })
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					retries := ""
					opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { retries += err.Error() + "\n" }}

					got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 100)

					require.NoError(t, err)
					require.Len(t, got, 100)
					require.Equal(t, 100*time.Second, now(), "tick 100 came late")
					require.Equal(t, map[string]int{f.name: 1}, hops[i].faults())
					require.Contains(t, retries, f.why)
					require.Equal(t, f.why == "", retries == "", "retries: %s", retries)
				})
			})
		}
	}
}

var faultSeed = flag.Uint64("faults.seed", 0, "repeat the faults of this `seed`; 0: new ones")

func TestFollow_SurvivesDayOfThousandFaults(t *testing.T) {
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	repeat := fmt.Sprintf("to repeat the faults: -faults.seed=%d", seed)
	defer func() {
		if t.Failed() {
			t.Log(repeat)
		}
	}()
	// A minute of real time, in case the bubble hangs.
	defer time.AfterFunc(time.Minute, func() { fmt.Fprintln(os.Stderr, repeat) }).Stop()
	synctest.Test(t, func(t *testing.T) {
		newExchange := func() tickerv1.TickerServiceServer { return &Exchange{Interval: 15 * time.Second} }
		hops, c := dialHops(t, newExchange)
		ctx, cancel := context.WithTimeout(t.Context(), 72*time.Hour)
		var injector sync.WaitGroup
		defer injector.Wait() // it may have to start a server again
		defer cancel()
		injector.Go(func() { injectFaults(ctx, hops, rand.New(rand.NewPCG(seed, 0))) })

		n, x := uint64(0), &Exchange{Interval: 15 * time.Second}
		for tick, err := range Follow(ctx, c, &tickerv1.WatchRequest{After: new(uint64(0))}, FollowOptions{}) {
			require.NoError(t, err, "after tick %d", n)
			n++
			require.True(t, proto.Equal(x.Tick(n), tick), "got %v, want tick %d", tick, n)
			if now() >= 24*time.Hour && total(hops) >= 1000 {
				break
			}
		}
		cancel()
		injector.Wait()
		t.Logf("%v, %d ticks, faults at the gateway %v and at the exchange %v",
			now(), n, hops[0].faults(), hops[1].faults())
		for _, f := range faults {
			require.Greater(t, hops[0].faults()[f.name], 20, "%s at the gateway", f.name)
			require.Greater(t, hops[1].faults()[f.name], 20, "%s at the exchange", f.name)
		}
	})
}

// injectFaults injects a fault every 75 s, on average. Faults of a connection
// that has already failed do not count.
func injectFaults(ctx context.Context, hops [2]*hop, random *rand.Rand) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.ExpFloat64() * float64(75*time.Second))):
			f, h := faults[random.IntN(len(faults))], hops[random.IntN(len(hops))]
			f.inject(h, random)
		}
	}
}

func total(hops [2]*hop) (n int) {
	for _, h := range hops {
		for _, count := range h.faults() {
			n += count
		}
	}
	return n
}
