package cancellation

import (
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

func TestAWatchStartsWithTheNextTickOrAfterTheOneYouNamed(t *testing.T) {
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
		{"the whole history", new(uint64(900)), []string{"ACME"}, []uint64{905, 910}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := NewExchange(1)
				x.History = 100
				h := setup{exchange: x}.start(t)
				time.Sleep(1000 * time.Second)
				stream, err := h.client.Watch(t.Context(), &tickerv1.WatchRequest{After: tt.after, Symbols: tt.symbols})
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

func TestAWatchThatCannotBeServedSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		name string
		req  *tickerv1.WatchRequest
		code codes.Code
		says string
	}{
		{"no such symbol", &tickerv1.WatchRequest{Symbols: []string{"ACME", "NOPE"}}, codes.NotFound,
			`symbols: there is no "NOPE"; there are ["ACME" "GLOBEX" "HOOLI" "INITECH" "UMBRELLA"]`},
		{"a symbol that is not one", &tickerv1.WatchRequest{Symbols: []string{strings.Repeat("X", 1<<20)}}, codes.NotFound,
			`symbols: there is no "XXXXXXXXXXXXXXXXXXXX"; there are ["ACME" "GLOBEX" "HOOLI" "INITECH" "UMBRELLA"]`},
		{"too many symbols", &tickerv1.WatchRequest{Symbols: slices.Repeat([]string{"ACME"}, 101)}, codes.InvalidArgument,
			"symbols: at most 100, got 101"},
		{"too old", &tickerv1.WatchRequest{After: new(uint64(899))}, codes.OutOfRange,
			"after: tick 900 is no longer held; the oldest is 901"},
		{"the future", &tickerv1.WatchRequest{After: new(uint64(1001))}, codes.OutOfRange,
			"after: 1001 is ahead of the newest tick, 1000"},
		{"the far future", &tickerv1.WatchRequest{After: new(^uint64(0))}, codes.OutOfRange,
			"after: 18446744073709551615 is ahead of the newest tick, 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := NewExchange(1)
				x.History = 100
				h := setup{exchange: x}.start(t)
				time.Sleep(1000 * time.Second)
				stream, err := h.client.Watch(t.Context(), tt.req)
				require.NoError(t, err)
				_, err = stream.Recv()
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.Equal(t, tt.says, status.Convert(err).Message())
			})
		})
	}
}

func TestAnExchangeThatHasJustBegunHoldsAllOfItsTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		time.Sleep(time.Hour)
		stream, err := h.client.Watch(t.Context(), &tickerv1.WatchRequest{After: new(uint64(0))})
		require.NoError(t, err)
		tick, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, uint64(1), tick.GetSequence())
	})
}

func TestAnExchangeThatRestartsHasTheHistoryItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := NewExchange(7)
		time.Sleep(time.Hour)
		after := NewExchange(7)
		other := NewExchange(8)
		differ := 0
		for n := range uint64(1000) {
			require.True(t, proto.Equal(before.Tick(n), after.Tick(n)), "tick %d", n)
			if !proto.Equal(before.Tick(n), other.Tick(n)) {
				differ++
			}
		}
		require.Greater(t, differ, 900, "another seed has other prices")
	})
}

func TestPricesMoveALittleAndStayPositive(t *testing.T) {
	x := NewExchange(1)
	x.Symbols = x.Symbols[:1]
	prices := map[int64]bool{}
	for n := range uint64(10_000) {
		now, next := x.Tick(n).GetPriceCents(), x.Tick(n+1).GetPriceCents()
		require.Positive(t, now)
		require.InDelta(t, now, next, 12_00, "tick %d", n)
		prices[now] = true
	}
	require.Greater(t, len(prices), 100, "different prices")
}
