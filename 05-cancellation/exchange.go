// Package cancellation relays the prices of a stock exchange through a
// gateway, and shows how the end of a stream reaches both hops: a cancel, a
// deadline, a shutdown, or a connection that breaks.
package cancellation

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// MaxSymbols is the maximum number of symbols in a request.
const MaxSymbols = 100

// An Exchange publishes one tick per interval; its symbols take turns. Tick
// n is published at Epoch + n × Interval. The zero value is ready to use.
// Set the fields before the first call of a method, which replaces each zero
// field by its default. Methods may be called concurrently.
//
// An Exchange stores nothing, because tick n depends only on the fields and
// on n. It therefore has the same ticks after a restart. An exchange whose
// prices come from people must store them. An Exchange relies on the clock
// of its machine: when the clock is set back by at most Retention intervals,
// a client that resumes may get Unavailable until the clock has caught up.
type Exchange struct {
	tickerv1.UnimplementedTickerServiceServer

	// Seed selects the prices.
	Seed uint64
	// Symbols are the symbols of the ticks. The default is five symbols,
	// from ACME to UMBRELLA.
	Symbols []string
	// Interval is the time between two ticks. The default is a second.
	Interval time.Duration
	// Epoch is the time one Interval before tick 1. The default is the
	// start of the year 2000, UTC.
	Epoch time.Time
	// Retention is how many of the newest ticks a client may ask for when
	// it resumes. A small request can ask for all of them, so Retention
	// limits what one request makes the exchange send at once. The
	// default is 3600.
	Retention uint64
	// SendTimeout is the timeout of each Send, as in [SendWithin]. The
	// default is a minute.
	SendTimeout time.Duration

	initOnce, drainOnce sync.Once
	draining            chan struct{} // closed by Drain
	last                atomic.Uint64 // the last tick to send
}

// init sets the defaults and makes the channel, once.
func (x *Exchange) init() {
	x.initOnce.Do(func() {
		if len(x.Symbols) == 0 {
			x.Symbols = []string{"ACME", "GLOBEX", "HOOLI", "INITECH", "UMBRELLA"}
		}
		x.Interval = cmp.Or(x.Interval, time.Second)
		x.Epoch = cmp.Or(x.Epoch, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		x.Retention = cmp.Or(x.Retention, 3600)
		x.SendTimeout = cmp.Or(x.SendTimeout, time.Minute)
		x.last.Store(math.MaxUint64)
		x.draining = make(chan struct{})
	})
}

// Watch implements the RPC.
//
// InvalidArgument: the request has more than [MaxSymbols] symbols. NotFound:
// the exchange does not have one of the symbols. OutOfRange: the next tick is
// no longer held, or the request's after is ahead of the newest tick by more
// than Retention. Unavailable: after is ahead by no more than that, as when the clock of
// this exchange is behind, or the exchange is shutting down. Aborted: one
// Send took longer than SendTimeout. Canceled, DeadlineExceeded: the call's
// context ended.
func (x *Exchange) Watch(
	req *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	x.init()
	if err := x.checkSymbols(req.GetSymbols()); err != nil {
		return err
	}
	newest := x.newest()
	after := newest
	if req.After != nil {
		after = req.GetAfter()
	}
	for {
		if err := x.checkRange(after, newest); err != nil {
			return err
		}
		if err := x.wait(stream.Context(), after+1); err != nil {
			return err
		}
		after++
		newest = max(after, x.newest()) // the clock may have been set back
		tick := x.Tick(after)
		if len(req.GetSymbols()) > 0 && !slices.Contains(req.GetSymbols(), tick.GetSymbol()) {
			continue
		}
		if err := SendWithin(x.SendTimeout, stream, tick); err != nil {
			return err
		}
	}
}

func (x *Exchange) checkSymbols(symbols []string) error {
	if n := len(symbols); n > MaxSymbols {
		return status.Errorf(codes.InvalidArgument, "symbols: must be at most %d, got %d", MaxSymbols, n)
	}
	for _, s := range symbols {
		if !slices.Contains(x.Symbols, s) {
			return status.Errorf(codes.NotFound, "symbols: must be among %q, got %.20q", x.Symbols, s)
		}
	}
	return nil
}

// checkRange returns nil if the exchange can send the tick that follows
// after, now or when it is published.
func (x *Exchange) checkRange(after, newest uint64) error {
	switch {
	case after > newest:
		code := codes.Unavailable // another exchange has published it, or this one before a restart
		if after-newest > x.Retention {
			code = codes.OutOfRange
		}
		return status.Errorf(code, "after: %d is ahead of the newest, %d", after, newest)
	case newest-after > x.Retention:
		oldest := newest - x.Retention + 1
		return status.Errorf(codes.OutOfRange, "after: %d is no longer held; the oldest is %d", after, oldest)
	}
	return nil
}

// wait waits until tick n is published, ctx ends, or x drains.
func (x *Exchange) wait(ctx context.Context, n uint64) error {
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-x.draining: // ticks published before Drain are still sent
	case <-time.After(time.Until(x.due(n))):
	}
	if n > x.last.Load() {
		return status.Errorf(codes.Unavailable, "shutting down; resume after %d", n-1)
	}
	return nil
}

// Drain ends each Watch with Unavailable, after Watch has sent the ticks that
// are already published; a Send that fails still ends Watch with its own
// status. Drain does not block. Only the first call has an effect.
func (x *Exchange) Drain() {
	x.init()
	x.drainOnce.Do(func() {
		x.last.Store(x.newest())
		close(x.draining)
	})
}

// Tick returns tick n, which may be published in the future.
func (x *Exchange) Tick(n uint64) *tickerv1.Tick {
	x.init()
	return &tickerv1.Tick{
		Sequence:   n,
		Symbol:     x.Symbols[n%uint64(len(x.Symbols))],
		PriceCents: price(x.Seed, n),
		Timestamp:  timestamppb.New(x.due(n)),
	}
}

// due returns the time at which tick n is published.
func (x *Exchange) due(n uint64) time.Time {
	return x.Epoch.Add(time.Duration(n) * x.Interval)
}

// newest returns the number of the newest tick that is published. It is 0
// before tick 1.
func (x *Exchange) newest() uint64 {
	return uint64(max(0, time.Since(x.Epoch)/x.Interval))
}

// price returns a price from 90.00 to 109.99, in cents, that depends only on
// seed and n.
func price(seed, n uint64) int64 {
	hash := rand.NewPCG(seed, n).Uint64()
	return 90_00 + int64(hash%20_00)
}
