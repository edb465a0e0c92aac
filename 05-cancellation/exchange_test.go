package cancellation

import (
	"context"
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
		{"from now on", nil, nil, []uint64{5001, 5002, 5003}},
		{"after the newest", new(uint64(5000)), nil, []uint64{5001, 5002, 5003}},
		{"after an older one", new(uint64(4998)), nil, []uint64{4999, 5000, 5001}},
		{"some symbols", new(uint64(4990)), []string{"ACME", "HOOLI", "ACME"}, []uint64{4992, 4995, 4997, 5000, 5002}},
		{"as many symbols as allowed", nil, slices.Repeat([]string{"ACME"}, 100), []uint64{5005, 5010}},
		{"all that is held", new(uint64(1400)), []string{"ACME"}, []uint64{1405, 1410}},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			x := new(Exchange)
			_, _, c := serveHops(t, x)
			time.Sleep(5000 * time.Second)
			stream, err := c.Watch(t.Context(), &tickerv1.WatchRequest{After: tt.after, Symbols: tt.symbols})
			require.NoError(t, err)
			for _, n := range tt.want {
				tick, err := stream.Recv()
				require.NoError(t, err)
				require.True(t, proto.Equal(x.Tick(n), tick), "got %v, want tick %d", tick, n)
			}
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
		{"too old", &tickerv1.WatchRequest{After: new(uint64(1399))},
			codes.OutOfRange, "after: 1399 is no longer held; the oldest is 1401"},
		{"next", &tickerv1.WatchRequest{After: new(uint64(5001))},
			codes.Unavailable, "after: 5001 is ahead of the newest, 5000"},
		{"ahead by the retention", &tickerv1.WatchRequest{After: new(uint64(8600))},
			codes.Unavailable, "after: 8600 is ahead of the newest, 5000"},
		{"ahead by more", &tickerv1.WatchRequest{After: new(uint64(8601))},
			codes.OutOfRange, "after: 8601 is ahead of the newest, 5000"},
		{"far future", &tickerv1.WatchRequest{After: new(uint64(math.MaxUint64))},
			codes.OutOfRange, "after: 18446744073709551615 is ahead of the newest, 5000"},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			_, _, c := serveHops(t, new(Exchange))
			time.Sleep(5000 * time.Second)
			stream, err := c.Watch(t.Context(), tt.req)
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Equal(t, tt.code.String(), status.Code(err).String(), "got %v", err)
			require.Equal(t, tt.message, status.Convert(err).Message())
		})
	}
}

func TestExchange_HasSameTicksAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &Exchange{Seed: 7}
		time.Sleep(time.Hour)
		after, other := &Exchange{Seed: 7}, &Exchange{Seed: 8}
		differ := 0
		for n := range uint64(5000) { // the newest is 3600
			require.True(t, proto.Equal(before.Tick(n), after.Tick(n)), "tick %d", n)
			require.Equal(t, time.Duration(n)*time.Second, after.Tick(n).GetTimestamp().AsTime().Sub(before.Epoch))
			require.InDelta(t, 100_00, after.Tick(n).GetPriceCents(), 10_00, "tick %d", n)
			if !proto.Equal(before.Tick(n), other.Tick(n)) {
				differ++
			}
		}
		require.Greater(t, differ, 4900, "prices that differ with another seed")
	})
}

// A withContext stream sends nothing.
type withContext struct {
	serverStream
	ctx context.Context
}

func (s withContext) Context() context.Context { return s.ctx }

func TestExchange_ReturnsStatusOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := new(Exchange).Watch(new(tickerv1.WatchRequest), withContext{ctx: ctx})
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
	})
}
