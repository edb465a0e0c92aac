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
)

var faultSeed = flag.Uint64("faults.seed", 0, "repeat the faults of this `seed`; 0: new ones")

func TestAFollowerSeesEveryTickOnceThroughADayOfAThousandFaults(t *testing.T) {
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
	// In real time, in case the bubble hangs.
	defer time.AfterFunc(time.Minute, func() { fmt.Fprintln(os.Stderr, repeat) }).Stop()
	synctest.Test(t, func(t *testing.T) {
		hops := twoHops(t, everyFifteenSeconds)
		ctx, cancel := context.WithTimeout(t.Context(), 72*time.Hour)
		var injector sync.WaitGroup
		defer injector.Wait() // it may have a server to start again
		defer cancel()
		injector.Go(func() { inflict(ctx, hops, rand.New(rand.NewPCG(seed, 0))) })

		next, x := uint64(1), everyFifteenSeconds()
		for tick, err := range Follow(ctx, hops[0].client, &tickerv1.WatchRequest{After: new(uint64(0))}, FollowOptions{}) {
			require.NoError(t, err, "after tick %d", next-1)
			require.True(t, proto.Equal(x.Tick(next), tick), "got %v, want tick %d", tick, next)
			next++
			if now() >= 24*time.Hour && total(hops) >= 1000 {
				break
			}
		}
		cancel()
		injector.Wait()
		t.Logf("%v, %d ticks, faults at the gateway %v and at the exchange %v",
			now(), next-1, hops[0].net.faults, hops[1].net.faults)
		for _, f := range faults {
			require.Greater(t, hops[0].net.faults[f.name], 20, "%s at the gateway", f.name)
			require.Greater(t, hops[1].net.faults[f.name], 20, "%s at the exchange", f.name)
		}
	})
}

func everyFifteenSeconds() *Exchange {
	x := NewExchange(1)
	x.Interval = 15 * time.Second
	return x
}

// inflict makes a fault every 75 s, on average. Some meet a connection that
// has failed already, and do not count.
func inflict(ctx context.Context, hops [2]*hop, random *rand.Rand) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.ExpFloat64() * float64(75*time.Second))):
			f, h := faults[random.IntN(len(faults))], hops[random.IntN(len(hops))]
			f.inflict(h, random)
		}
	}
}

func total(hops [2]*hop) (n int) {
	for _, h := range hops {
		n += h.net.happened()
	}
	return n
}
