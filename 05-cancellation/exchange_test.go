package cancellation

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestExchange_StartsAtNextTickOrAfterGivenOne(t *testing.T) {
	for _, tt := range []struct {
		name    string
		after   *uint64
		symbols []string
		want    []uint64
	}{
		{"from now on", nil, nil, []uint64{1001, 1002, 1003}},
		{"after the newest", new(uint64(1000)), nil, []uint64{1001, 1002, 1003}},
		{"after an older one", new(uint64(997)), nil, []uint64{998, 999, 1000, 1001}},
		{"some symbols", new(uint64(990)), []string{"ACME", "HOOLI", "ACME"}, []uint64{992, 995, 997, 1000, 1002}},
		{"all that is held", new(uint64(900)), []string{"ACME"}, []uint64{905, 910}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &Exchange{Retention: 100}
				exchange := serveTicker(t, x)
				gateway := serveTicker(t, NewGateway(exchange.client(t)))
				time.Sleep(1000 * time.Second)
				req := &tickerv1.WatchRequest{After: tt.after, Symbols: tt.symbols}
				stream, err := gateway.client(t).Watch(t.Context(), req)
				require.NoError(t, err)
				for _, n := range tt.want {
					tick, err := stream.Recv()
					require.NoError(t, err)
					require.True(t, proto.Equal(x.Tick(n), tick), "got %v, want tick %d", tick, n)
				}
			})
		})
	}
}

func TestExchange_SaysWhyItRefusesRequest(t *testing.T) {
	const symbols = `symbols: must be among ["ACME" "GLOBEX" "HOOLI" "INITECH" "UMBRELLA"], got `
	for _, tt := range []struct {
		name    string
		req     *tickerv1.WatchRequest
		code    codes.Code
		message string
	}{
		{"unknown symbol", &tickerv1.WatchRequest{Symbols: []string{"ACME", "NOPE"}},
			codes.NotFound, symbols + `"NOPE"`},
		{"long symbol", &tickerv1.WatchRequest{Symbols: []string{strings.Repeat("X", 1<<20)}},
			codes.NotFound, symbols + `"XXXXXXXXXXXXXXXXXXXX"`},
		{"too many symbols", &tickerv1.WatchRequest{Symbols: slices.Repeat([]string{"ACME"}, 101)},
			codes.InvalidArgument, "symbols: must be at most 100, got 101"},
		{"too old", &tickerv1.WatchRequest{After: new(uint64(899))},
			codes.OutOfRange, "after: 899 is no longer held; the oldest is 901"},
		{"future", &tickerv1.WatchRequest{After: new(uint64(1001))},
			codes.OutOfRange, "after: 1001 is ahead of the newest, 1000"},
		{"far future", &tickerv1.WatchRequest{After: new(uint64(math.MaxUint64))},
			codes.OutOfRange, "after: 18446744073709551615 is ahead of the newest, 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange := serveTicker(t, &Exchange{Retention: 100})
				gateway := serveTicker(t, NewGateway(exchange.client(t)))
				time.Sleep(1000 * time.Second)
				stream, err := gateway.client(t).Watch(t.Context(), tt.req)
				require.NoError(t, err)
				_, err = stream.Recv()
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.Equal(t, tt.message, status.Convert(err).Message())
			})
		})
	}
}

func TestExchange_HoldsAllTicksOfFirstHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveTicker(t, new(Exchange)).client(t)
		time.Sleep(time.Hour)
		stream, err := c.Watch(t.Context(), &tickerv1.WatchRequest{After: new(uint64(0))})
		require.NoError(t, err)
		tick, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, uint64(1), tick.GetSequence())

		time.Sleep(time.Second)
		stream, err = c.Watch(t.Context(), &tickerv1.WatchRequest{After: new(uint64(0))})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
	})
}

func TestExchange_HasSameTicksAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &Exchange{Seed: 7}
		time.Sleep(time.Hour)
		after, other := &Exchange{Seed: 7}, &Exchange{Seed: 8}
		differ := 0
		for n := range uint64(1000) {
			require.True(t, proto.Equal(before.Tick(n), after.Tick(n)), "tick %d", n)
			if !proto.Equal(before.Tick(n), other.Tick(n)) {
				differ++
			}
		}
		require.Greater(t, differ, 900, "prices that differ with another seed")
	})
}

func TestExchange_PricesVaryWithinBounds(t *testing.T) {
	var x Exchange
	prices := map[int64]bool{}
	for n := range uint64(10_000) {
		price := x.Tick(n).GetPriceCents()
		require.GreaterOrEqual(t, price, int64(90_00))
		require.Less(t, price, int64(110_00))
		prices[price] = true
	}
	require.Greater(t, len(prices), 1000, "different prices")
}
