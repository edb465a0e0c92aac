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
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/faultnet"
)

// faults lists what can happen to a server.
var faults = []struct {
	name   string // in server.faults
	inject func(s *server, random *rand.Rand)
	why    string // in an error of the client; empty: the call does not fail
}{
	{faultnet.Closed, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.Drop() }),
		"error reading from server: EOF"},
	{faultnet.CutFrame, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.CutFrame() }),
		"error reading from server: unexpected EOF"},
	{faultnet.Delayed, onConn(func(c *faultnet.Conn, random *rand.Rand) {
		c.Delay(randomTime(random, 15*time.Second))
	}), ""},
	{faultnet.HalfOpen, onConn(func(c *faultnet.Conn, _ *rand.Rand) { c.HalfOpen() }),
		"keepalive ping failed to receive ACK within timeout"},
	{faultnet.Refused, func(s *server, random *rand.Rand) { s.net.Refuse(1 + random.IntN(3)) },
		"connection refused"},
	{"restarted", func(s *server, random *rand.Rand) {
		s.stop()
		time.Sleep(randomTime(random, 10*time.Second))
		s.start()
		s.restarts.Add(1)
	}, "Error while dialing: closed"},
}

// onConn returns a fault of the newest connection. The fault does nothing if
// that connection has already failed.
func onConn(fail func(*faultnet.Conn, *rand.Rand)) func(*server, *rand.Rand) {
	return func(s *server, random *rand.Rand) {
		if c := s.net.Conn(); c != nil {
			fail(c, random)
		}
	}
}

func randomTime(random *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(limit)))
}

// serveFaulty starts a gateway and an exchange behind it, with the options
// of the commands, and returns a client of the gateway. A server that
// restarts has a new Exchange or Gateway.
func serveFaulty(t *testing.T, interval time.Duration) ([]*server, tickerv1.TickerServiceClient) {
	// With small buffers, a thousand connections need less memory.
	dialOptions := append(DialOptions(), grpc.WithReadBufferSize(1<<10), grpc.WithWriteBufferSize(1<<10))
	serverOptions := append(ServerOptions(), grpc.ReadBufferSize(1<<10), grpc.WriteBufferSize(1<<10))
	newExchange := func() tickerv1.TickerServiceServer { return &Exchange{Interval: interval} }
	exchange := serveTicker(t, newExchange(), serverOptions...)
	exchange.newTicker = newExchange
	upstream := exchange.client(t, dialOptions...)
	newGateway := func() tickerv1.TickerServiceServer { return NewGateway(upstream) }
	gateway := serveTicker(t, newGateway(), serverOptions...)
	gateway.newTicker = newGateway
	return []*server{gateway, exchange}, gateway.client(t, dialOptions...)
}

func TestFollow_RecoversFromEachFault(t *testing.T) {
	for _, f := range faults {
		for i, where := range []string{"at the gateway", "at the exchange"} {
			subtest(t, f.name+" "+where, func(t *testing.T) {
				hops, c := serveFaulty(t, time.Second)
				random := rand.New(rand.NewPCG(1, 1))
				time.AfterFunc(10500*time.Millisecond, func() { f.inject(hops[i], random) })
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				retries := ""
				opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
					retries += err.Error() + "\n"
				}}

				got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 100)

				require.NoError(t, err)
				require.Len(t, got, 100)
				require.Equal(t, 100*time.Second, now(), "tick 100 came late")
				require.Equal(t, map[string]int{f.name: 1}, hops[i].faults())
				require.Contains(t, retries, f.why)
				require.Equal(t, f.why == "", retries == "", "retries: %s", retries)
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
	t.Log(repeat)
	// If the bubble hangs, go test does not print what t.Log has recorded.
	defer time.AfterFunc(time.Minute, func() { fmt.Fprintln(os.Stderr, repeat) }).Stop()
	synctest.Test(t, func(t *testing.T) {
		hops, c := serveFaulty(t, 15*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 72*time.Hour)
		var injector sync.WaitGroup
		defer injector.Wait() // until a server that was stopped has started again
		defer cancel()
		injector.Go(func() {
			for random := rand.New(rand.NewPCG(seed, 0)); ctx.Err() == nil; {
				f := faults[random.IntN(len(faults))]
				f.inject(hops[random.IntN(len(hops))], random)
				sleep(ctx, time.Duration(75e9*random.ExpFloat64())) // 75 s on average
			}
		})

		n, x := uint64(0), &Exchange{Interval: 15 * time.Second}
		fromTheStart := &tickerv1.WatchRequest{After: new(uint64(0))}
		for tick, err := range Follow(ctx, c, fromTheStart, FollowOptions{}) {
			require.NoError(t, err, "after tick %d", n)
			n++
			require.True(t, proto.Equal(x.Tick(n), tick), "got %v, want tick %d", tick, n)
			total := 0
			for _, f := range faults {
				total += hops[0].faults()[f.name] + hops[1].faults()[f.name]
			}
			if now() >= 24*time.Hour && total >= 1000 {
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
