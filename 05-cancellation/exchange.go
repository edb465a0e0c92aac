// Package cancellation relays the prices of an exchange through a gateway.
// Whoever ends a stream, and however, both hops see it end.
package cancellation

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// MaxSymbols is the most symbols that a request may name.
const MaxSymbols = 100

// An Exchange publishes one tick per interval; its symbols take turns.
// Tick n is due at Epoch + n × Interval. Make one with [NewExchange], and
// change its fields before it serves.
//
// Nothing is stored: tick n is a pure function of Seed and n. So an exchange
// that is killed and started again has the history it had, and no file was
// half written. One whose prices come from people must store them. It trusts
// the machine's clock: set that back, and who comes back gets OutOfRange.
type Exchange struct {
	tickerv1.UnimplementedTickerServiceServer

	Seed      uint64
	Symbols   []string      // at least one
	Interval  time.Duration // between two ticks, > 0
	Epoch     time.Time     // tick 1 is due one Interval later
	History   uint64        // how many of the newest ticks are held, ≥ 1
	SendLimit time.Duration // how long one Send may wait for a watcher

	once  sync.Once
	drain chan struct{} // closed when the exchange shuts down
	last  atomic.Uint64 // the tick after which it does
}

// NewExchange returns an exchange of five symbols that ticks once a second
// since the year 2000 and holds the last hour. A watcher that does not read
// for a minute is sent away.
func NewExchange(seed uint64) *Exchange {
	x := &Exchange{
		Seed:      seed,
		Symbols:   []string{"ACME", "GLOBEX", "HOOLI", "INITECH", "UMBRELLA"},
		Interval:  time.Second,
		Epoch:     time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		History:   3600,
		SendLimit: time.Minute,
		drain:     make(chan struct{}),
	}
	x.last.Store(math.MaxUint64)
	return x
}

// Watch streams ticks until the watcher goes away, [Exchange.Drain] is
// called, or the next tick is no longer held.
//
// InvalidArgument: more than [MaxSymbols] symbols. NotFound: the exchange
// has no such symbol. OutOfRange: the watcher is behind the history, or
// ahead of the newest tick. Aborted: one Send took longer than SendLimit.
// Unavailable: the exchange is shutting down.
func (x *Exchange) Watch(
	req *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	if err := x.checkSymbols(req.GetSymbols()); err != nil {
		return err
	}
	next, err := x.first(req)
	if err != nil {
		return err
	}
	for ; ; next++ {
		if err := x.wait(stream.Context(), next); err != nil {
			return err
		}
		tick := x.Tick(next)
		if !wants(req, tick.GetSymbol()) {
			continue
		}
		if err := SendWithin(x.SendLimit, stream, tick); err != nil {
			return err
		}
	}
}

func (x *Exchange) checkSymbols(symbols []string) error {
	if n := len(symbols); n > MaxSymbols {
		return status.Errorf(codes.InvalidArgument, "symbols: at most %d, got %d", MaxSymbols, n)
	}
	for _, s := range symbols {
		if !slices.Contains(x.Symbols, s) {
			return status.Errorf(codes.NotFound, "symbols: there is no %.20q; there are %q", s, x.Symbols)
		}
	}
	return nil
}

func wants(req *tickerv1.WatchRequest, symbol string) bool {
	return len(req.GetSymbols()) == 0 || slices.Contains(req.GetSymbols(), symbol)
}

// first returns the first tick that the request asks for.
func (x *Exchange) first(req *tickerv1.WatchRequest) (uint64, error) {
	newest := x.newest()
	if req.After == nil {
		return newest + 1, nil
	}
	if after := req.GetAfter(); after > newest {
		return 0, status.Errorf(codes.OutOfRange, "after: %d is ahead of the newest tick, %d", after, newest)
	}
	return req.GetAfter() + 1, nil
}

// wait returns nil once tick n is due, if it is held.
func (x *Exchange) wait(ctx context.Context, n uint64) error {
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-x.drain: // what was published before is still sent
	case <-time.After(time.Until(x.due(n))):
	}
	if n > x.last.Load() {
		return status.Error(codes.Unavailable, "the exchange is shutting down")
	}
	if oldest := x.oldest(); n < oldest {
		return status.Errorf(codes.OutOfRange, "after: tick %d is no longer held; the oldest is %d", n, oldest)
	}
	return nil
}

// Drain ends every Watch with Unavailable, as soon as the ticks that were
// published before it are sent. It does not block, and may be called again.
func (x *Exchange) Drain() {
	x.once.Do(func() {
		x.last.Store(x.newest())
		close(x.drain)
	})
}
