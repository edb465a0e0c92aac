package cancellation

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestFollow_YieldsEachTickWhenPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := new(Exchange)
		exchange, gateway, c := serveHops(t, x)
		n := uint64(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for tick, err := range Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}) {
			n++
			require.NoError(t, err)
			require.True(t, proto.Equal(x.Tick(n), tick), "got %v, want tick %d", tick, n)
			require.Equal(t, time.Duration(n)*time.Second, now())
			if n == 5 {
				break
			}
		}
		synctest.Wait()
		require.Equal(t, now(), gateway.handlers.next(t).at, "leaving the loop cancels the call")
		require.Equal(t, now(), exchange.handlers.next(t).at)
	})
}

func TestFollow_RetriesOnlyRetryableCodes(t *testing.T) {
	retryable := []codes.Code{
		codes.OK, codes.Canceled, codes.Unknown, codes.DeadlineExceeded,
		codes.Aborted, codes.Internal, codes.Unavailable,
	}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		subtest(t, code.String(), func(t *testing.T) {
			exchange, _, c := serveHops(t, failAfter(3, status.Error(code, "it failed"), new(Exchange)))
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}), 10)
			if slices.Contains(retryable, code) {
				require.NoError(t, err)
				require.Len(t, got, 10)
				return
			}
			require.Len(t, got, 3)
			require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "follow: not retryable: ")
			require.ErrorContains(t, err, "it failed")
			require.Len(t, exchange.handlers, 1, "calls")
		})
	}
}

// The limit is the client's own, so the status does not come from a server.
func TestFollow_GivesUpOnMessageOverLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, &Exchange{Symbols: []string{"ACME", largeSymbol[0]}})
		c := exchange.client(t, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		retries := 0
		opts := FollowOptions{OnRetry: func(error, time.Duration) { retries++ }}
		_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{After: new(uint64(0))}, opts), 10)
		require.Zero(t, retries)
		require.Equal(t, codes.ResourceExhausted.String(), status.Code(err).String(), "got %v", err)
		require.ErrorContains(t, err, "received message larger than max")
		require.Equal(t, time.Second, now())
	})
}

func TestFollow_GivesUpOnRequestWithInvalidUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, gateway, c := serveHops(t, new(Exchange))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{Symbols: []string{"\xff"}}, FollowOptions{}), 1)
		require.Equal(t, codes.InvalidArgument.String(), status.Code(err).String(), "got %v", err)
		require.ErrorContains(t, err, "request: ")
		require.ErrorContains(t, err, "invalid UTF-8")
		require.Empty(t, gateway.calls)
	})
}

// The exchange cannot marshal a tick, which no retry changes.
func TestFollow_RetriesInternalUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, &Exchange{Symbols: []string{"\xff"}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		retries := 0
		opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
			require.Equal(t, codes.Internal.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "error while marshaling")
			retries++
		}}
		_, err := take(t, Follow(ctx, exchange.client(t), &tickerv1.WatchRequest{}, opts), 1)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, time.Hour, now())
		require.Greater(t, retries, 100)
	})
}

// The exchange is replaced by another one, whose clock is behind.
func TestFollow_WaitsForExchangeWithSlowClock(t *testing.T) {
	for _, behind := range []time.Duration{300 * time.Millisecond, 2 * time.Second, 10 * time.Second} {
		subtest(t, behind.String(), func(t *testing.T) {
			const interval = 100 * time.Millisecond
			exchange, _, c := serveHops(t, &Exchange{Interval: interval})
			time.AfterFunc(5050*time.Millisecond, func() {
				exchange.stop()
				exchange.newTicker = func() tickerv1.TickerServiceServer {
					return &Exchange{Interval: interval, Epoch: time.Now().Add(behind - now())}
				}
				exchange.start()
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			retries := ""
			opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { retries += err.Error() + "\n" }}

			got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 500)

			require.NoError(t, err)
			require.Len(t, got, 500)
			require.Contains(t, retries, "after: 50 is ahead of the newest, ")
			require.Equal(t, 50*time.Second+behind, now(), "tick 500 came late")
		})
	}
}

func TestFollow_WaitGrowsUntilTickArrives(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ticks   int // in each call
		grows   bool
		backoff Backoff
		exceeds time.Duration // the longest of 50 waits
	}{
		{"no tick", 0, true, Backoff{}, 10 * time.Second},
		{"no tick, a Backoff of its own", 0, true, Backoff{Base: time.Minute, Max: time.Hour}, 20 * time.Minute},
		{"one tick", 1, false, Backoff{}, 0},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			_, _, c := serveHops(t, failAfter(tt.ticks, errFailed, new(Exchange)))
			ctx, cancel := context.WithCancel(t.Context())
			var waits []time.Duration
			var canceled time.Duration
			opts := FollowOptions{Backoff: tt.backoff, OnRetry: func(err error, wait time.Duration) {
				require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
				if waits = append(waits, wait); len(waits) == 50 {
					canceled = now()
					cancel()
				}
			}}
			_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), math.MaxInt)
			require.Equal(t, codes.Canceled.String(), status.Code(err).String(), "got %v", err)
			require.Equal(t, canceled, now(), "Follow waited after the cancel")
			if !tt.grows {
				require.Less(t, slices.Max(waits), 100*time.Millisecond)
				return
			}
			for i, wait := range waits {
				require.Less(t, wait, tt.backoff.limit(i+1), "wait %d", i+1)
			}
			require.Greater(t, slices.Max(waits), tt.exceeds, "the longest of 50 waits")
		})
	}
}

func TestFollow_WaitsAfterOnRetryReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, gateway, c := serveHops(t, silentAfter(0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var next []time.Duration // when a call begins
		opts := FollowOptions{IdleTimeout: time.Second, OnRetry: func(err error, wait time.Duration) {
			require.ErrorContains(t, err, "the server sent nothing for 1s")
			synctest.Wait()
			require.Equal(t, now(), gateway.calls.next(t).at)
			if len(next) > 0 {
				require.Equal(t, next[len(next)-1]+time.Second, now(), "when the call ended")
			}
			time.Sleep(time.Minute)
			next = append(next, now()+wait)
		}}
		_, err := take(t, Follow(ctx, c, new(tickerv1.WatchRequest), opts), 1)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Greater(t, len(next), 10)
	})
}

func TestFollow_RetriesTickThatCannotBeMarshaled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := serveHops(t, &Exchange{Symbols: []string{"\xff"}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		retries := 0
		opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
			require.Equal(t, codes.Internal.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "invalid UTF-8")
			retries++
		}}
		_, err := take(t, Follow(ctx, c, new(tickerv1.WatchRequest), opts), 1)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Greater(t, retries, 100)
	})
}

func TestFollow_CancelEndsItInRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := serveHops(t, silentAfter(0))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { require.NoError(t, err, "a retry") }}
		_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 1)
		require.Equal(t, codes.Canceled.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, time.Second, now())
	})
}

func TestFollow_EachLoopStartsWithRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := serveHops(t, failAfter(3, errFailed, new(Exchange)))
		req := &tickerv1.WatchRequest{Symbols: []string{"ACME"}, After: new(uint64(50))}
		time.Sleep(100 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ticks := Follow(ctx, c, req, FollowOptions{})
		for range 2 {
			next := uint64(55)
			for tick, err := range ticks {
				require.NoError(t, err)
				require.Equal(t, next, tick.GetSequence())
				if next += 5; next > 150 {
					break
				}
			}
		}
		require.Equal(t, uint64(50), req.GetAfter(), "the request of the caller")
	})
}

func TestFollow_SlowReaderGetsOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := serveHops(t, &Exchange{Symbols: largeSymbol, Retention: 10, SendTimeout: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var last uint64
		for tick, err := range Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}) {
			if err != nil {
				require.Equal(t, codes.OutOfRange.String(), status.Code(err).String(), "got %v", err)
				require.ErrorContains(t, err, "is no longer held; the oldest is")
				break
			}
			last = tick.GetSequence()
			time.Sleep(3 * time.Second) // in which three ticks are published
		}
		require.Greater(t, last, uint64(10))
	})
}
