package cancellation

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/golden"
)

// A forgetful relay does not pass on the context of the call that it serves.
type forgetful struct{ relay }

func (r forgetful) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	up, err := r.upstream.Watch(context.Background(), req)
	if err != nil {
		return err
	}
	return forward(up, down)
}

// A tenSeconds relay does not pass on the context either. It gives its call a
// deadline of its own.
type tenSeconds struct{ relay }

func (r tenSeconds) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	up, err := r.upstream.Watch(ctx, req)
	if err != nil {
		return err
	}
	return forward(up, down)
}

// A path is a call through a relay, and a row of a table in README.md. The
// cells say when each side ends.
type path struct {
	name     string
	relay    func(relay) tickerv1.TickerServiceServer
	exchange tickerv1.TickerServiceServer
	deadline time.Duration // of the client; 0: none

	client, gateway, exchangeEnds string
}

func passesOn(r relay) tickerv1.TickerServiceServer       { return r }
func forgets(r relay) tickerv1.TickerServiceServer        { return forgetful{r} }
func setsTenSeconds(r relay) tickerv1.TickerServiceServer { return tenSeconds{r} }

func TestNaive_RelayWithoutContextRunsOn(t *testing.T) {
	testPaths(t, "forgotten context", "relay", []path{
		{"`forgetful`", forgets, &Exchange{SendTimeout: math.MaxInt64}, 10500 * time.Millisecond,
			"10.5s, `DeadlineExceeded`", "11s", "still runs after 24h"},
		{"`forgetful`, [each `Send` of the exchange limited to 1 min](#the-watcher-that-does-not-read)",
			forgets, new(Exchange), 10500 * time.Millisecond,
			"10.5s, `DeadlineExceeded`", "11s", "60 to 100 minutes, mostly to fill buffers"},
		{"`relay`", passesOn, &Exchange{SendTimeout: math.MaxInt64}, 10500 * time.Millisecond,
			"10.5s, `DeadlineExceeded`", "10.5s", "10.5s"},
	})
}

// The exchange has nothing to send, so that no Send fails.
func TestNaive_DeadlineSetAnewIsTheWrongOne(t *testing.T) {
	testPaths(t, "deadline set anew", "relay, client's deadline", []path{
		{"`tenSeconds`, 2s", setsTenSeconds, silentAfter(0), 2 * time.Second,
			"2s, `DeadlineExceeded`", "10s", "10s"},
		{"`tenSeconds`, none", setsTenSeconds, silentAfter(0), 0,
			"10s, `DeadlineExceeded`", "10s", "10s"},
		{"`relay`, 2s", passesOn, silentAfter(0), 2 * time.Second,
			"2s, `DeadlineExceeded`", "2s", "2s"},
		{"`relay`, none", passesOn, silentAfter(0), 0,
			"still runs after 24h", "still runs after 24h", "still runs after 24h"},
	})
}

// testPaths tests each path, and writes the table of them.
func testPaths(t *testing.T, section, first string, paths []path) {
	table := fmt.Sprintf("| %s | the client ends at | the gateway's handler | the exchange's handler |\n|---|---|---|---|\n", first)
	for _, p := range paths {
		subtest(t, p.name, p.test)
		table += fmt.Sprintf("| %s | %s | %s | %s |\n", p.name, p.client, p.gateway, p.exchangeEnds)
	}
	golden.Section(t, "README.md", section, table)
}

func (p path) test(t *testing.T) {
	exchange := serveTicker(t, p.exchange)
	gateway := serveTicker(t, p.relay(relay{upstream: exchange.client(t)}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if p.deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, p.deadline)
		defer cancel()
	}
	stream := open(t, ctx, gateway.client(t))
	client := make(ends, 1)
	go func() {
		var err error
		for err == nil {
			_, err = stream.Recv()
		}
		client.recordCall(err)
	}()

	time.Sleep(24 * time.Hour)
	require.Equal(t, p.client, describeEnd(client, true), "the client")
	require.Equal(t, p.gateway, describeEnd(gateway.handlers, false), "the gateway's handler")
	require.Equal(t, p.exchangeEnds, describeEnd(exchange.handlers, false), "the exchange's handler")
}

// describeEnd says when a call or a handler has ended, and how. It is vague
// after an hour, because the time depends on the sizes of grpc-go's buffers.
func describeEnd(e ends, how bool) string {
	if len(e) == 0 {
		return "still runs after 24h"
	}
	end := <-e
	if how {
		return fmt.Sprintf("%v, `%v`", end.at, status.Code(end.err))
	}
	if end.at >= 60*time.Minute && end.at <= 100*time.Minute {
		return "60 to 100 minutes, mostly to fill buffers"
	}
	return end.at.String()
}

// stopWithin stops a server whose calls have ended, or all calls after limit.
func stopWithin(s *grpc.Server, limit time.Duration) {
	timer := time.AfterFunc(limit, s.Stop)
	defer timer.Stop()
	s.GracefulStop()
}

func TestNaive_GracefulStopNeverEndsOrCutsCalls(t *testing.T) {
	table := "| shutdown of the gateway | the gateway is down after | the client's `Recv` returns |\n|---|---|---|\n"
	for _, tt := range []struct {
		name  string
		drain bool
		limit time.Duration // of stopWithin
		took  string
		recv  string
	}{
		{"`GracefulStop`", false, math.MaxInt64, "still runs after 24h", "ticks"},
		{"`stopWithin` 5 s", false, 5 * time.Second, "5s",
			"`Unavailable`: closing transport due to: connection error: desc = " +
				`"error reading from server: EOF", received prior goaway: code: NO_ERROR, debug data: "graceful_stop"`},
		{"`Drain`, then `stopWithin` 5 s", true, 5 * time.Second, "0s",
			"`Unavailable`: shutting down; resume after your last tick"},
	} {
		table += fmt.Sprintf("| %s | %s | %s |\n", tt.name, tt.took, tt.recv)
		subtest(t, tt.name, func(t *testing.T) {
			g := NewGateway(serveTicker(t, &Exchange{Interval: 10 * time.Minute}).client(t))
			gateway := serveTicker(t, g)
			stream := open(t, t.Context(), gateway.client(t))
			recvOnTime(t, stream, 1)
			begin, down := now(), make(chan time.Duration, 1)
			go func() {
				if tt.drain {
					g.Drain()
				}
				stopWithin(gateway.running.Load().Server, tt.limit)
				down <- now() - begin
			}()

			var err error
			for err == nil && now() < 24*time.Hour {
				_, err = stream.Recv()
			}
			synctest.Wait()

			took, recv := "still runs after 24h", "ticks"
			if len(down) > 0 {
				took = (<-down).String()
			}
			if err != nil {
				recv = describe(err)
			}
			require.Equal(t, tt.took, took, "the gateway is down after")
			require.Equal(t, tt.recv, recv, "the client's Recv")
		})
	}
	golden.Section(t, "README.md", "graceful stop", table)
}

// followNaively calls got with each tick, until ctx ends. When a call fails,
// followNaively makes the call again.
func followNaively(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, got func(*tickerv1.Tick),
) {
	for ctx.Err() == nil {
		stream, err := c.Watch(ctx, req)
		for err == nil {
			var tick *tickerv1.Tick
			if tick, err = stream.Recv(); err == nil {
				got(tick)
			}
		}
	}
}

// follow calls got with each tick of Follow.
func follow(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, got func(*tickerv1.Tick),
) {
	for tick, err := range Follow(ctx, c, req, FollowOptions{}) {
		if err == nil {
			got(tick)
		}
	}
}

func TestNaive_FollowerFloodsRepeatsAndMisses(t *testing.T) {
	table := "| follower | its first ten ticks | calls until then |\n|---|---|---|\n"
	for _, tt := range []struct {
		name   string
		follow func(context.Context, tickerv1.TickerServiceClient, *tickerv1.WatchRequest, func(*tickerv1.Tick))
		after  *uint64
		ticks  string
		calls  string
	}{
		{"`followNaively`, `after: 0`", followNaively, new(uint64(0)), "1 2 3 1 2 3 4 5 6 7", "2002"},
		{"`followNaively`, no `after`", followNaively, nil, "1 2 3 6 7 8 9 10 11 12", "2002"},
		{"`Follow`", follow, nil, "1 2 3 4 5 6 7 8 9 10", "fewer than 20"},
	} {
		table += fmt.Sprintf("| %s | %s | %s |\n", tt.name, tt.ticks, tt.calls)
		subtest(t, tt.name, func(t *testing.T) {
			exchange, calls := restarting()
			c := serveTicker(t, exchange).client(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var ticks []string
			tt.follow(ctx, c, &tickerv1.WatchRequest{After: tt.after}, func(tick *tickerv1.Tick) {
				if ticks = append(ticks, fmt.Sprint(tick.GetSequence())); len(ticks) == 10 {
					cancel()
				}
			})
			require.Equal(t, tt.ticks, strings.Join(ticks[:10], " "))
			if tt.calls == "fewer than 20" {
				require.Less(t, calls.Load(), int64(20))
				return
			}
			require.Equal(t, tt.calls, fmt.Sprint(calls.Load()))
		})
	}
	golden.Section(t, "README.md", "naive follower", table)
	subtest(t, "a request that can never succeed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		c := serveTicker(t, stub{OnWatch: func(*tickerv1.WatchRequest, serverStream) error {
			if calls++; calls == 1000 {
				cancel()
			}
			return status.Error(codes.NotFound, "no such symbol")
		}}).client(t)
		followNaively(ctx, c, new(tickerv1.WatchRequest), nil)
		require.Equal(t, 1000, calls)
	})
}

// restarting returns an exchange that is down for two seconds after tick 3,
// and counts the calls. While the exchange is down, a proxy takes a
// millisecond to refuse a call.
func restarting() (stub, *atomic.Int64) {
	const down, up = 3500 * time.Millisecond, 5500 * time.Millisecond
	before, after, calls := new(Exchange), new(Exchange), new(atomic.Int64)
	time.AfterFunc(down, before.Drain)
	return stub{OnWatch: func(req *tickerv1.WatchRequest, stream serverStream) error {
		calls.Add(1)
		switch {
		case now() < down:
			return before.Watch(req, stream)
		case now() < up:
			time.Sleep(time.Millisecond)
			return errFailed
		default:
			return after.Watch(req, stream)
		}
	}}, calls
}
