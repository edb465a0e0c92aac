package cancellation

import (
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// Tick returns tick n, past or future. It is the same after a restart.
func (x *Exchange) Tick(n uint64) *tickerv1.Tick {
	turn := n % uint64(len(x.Symbols))
	return &tickerv1.Tick{
		Sequence:   n,
		Symbol:     x.Symbols[turn],
		PriceCents: price(x.Seed+turn, n),
		Timestamp:  timestamppb.New(x.due(n)),
	}
}

// due returns when tick n is published.
func (x *Exchange) due(n uint64) time.Time {
	return x.Epoch.Add(time.Duration(n) * x.Interval)
}

// newest returns the last tick that is published.
func (x *Exchange) newest() uint64 {
	return uint64(max(0, time.Since(x.Epoch)/x.Interval))
}

// oldest returns the first tick that is held. There is no tick 0, so that
// "after 0" asks for all of them.
func (x *Exchange) oldest() uint64 {
	if newest := x.newest(); newest > x.History {
		return newest - x.History + 1
	}
	return 1
}

// price adds up coins. Coin k shows the same side for 2^k ticks, which
// makes the sum wander like a price.
func price(seed, n uint64) int64 {
	cents := int64(100_00)
	for k := range 12 {
		step := int64(5 + k*k) // cents
		if coin := rand.NewPCG(seed, n>>k<<4|uint64(k)); coin.Uint64()&1 == 0 {
			step = -step
		}
		cents += step
	}
	return cents
}
