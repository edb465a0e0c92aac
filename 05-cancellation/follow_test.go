package cancellation

import (
	"context"
	"iter"
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

func TestFollowYieldsEachTickWhenItIsPublishedAndEndsWithTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := NewExchange(1)
		h := setup{exchange: x}.start(t)
		next := uint64(1)
		for tick, err := range Follow(t.Context(), h.client, &tickerv1.WatchRequest{}, FollowOptions{}) {
			require.NoError(t, err)
			require.True(t, proto.Equal(x.Tick(next), tick), "got %v, want tick %d", tick, next)
			require.Equal(t, time.Duration(next)*time.Second, now(), "before the next one exists")
			if next++; next > 5 {
				break
			}
		}
		synctest.Wait()
		require.Equal(t, now(), h.gateway.next(t).at, "breaking out of the loop ends the stream")
		require.Equal(t, now(), h.exchange.next(t).at)
	})
}

func TestAWatchThatTheServerEndsWithOKIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{exchange: failing{NewExchange(1), 3, codes.OK}}.start(t)
		got, err := take(t, Watch(t.Context(), h.client, &tickerv1.WatchRequest{}, time.Minute), 4)
		require.Len(t, got, 3)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the server ended the stream")
	})
}

// take returns the ticks of a Follow, which must have no gaps, until there
// are n of them or an error.
func take(t *testing.T, ticks iter.Seq2[*tickerv1.Tick, error], n int) (got []*tickerv1.Tick, err error) {
	t.Helper()
	for tick, err := range ticks {
		if err != nil {
			require.Nil(t, tick)
			return got, err
		}
		if len(got) > 0 {
			require.Equal(t, got[len(got)-1].GetSequence()+1, tick.GetSequence(), "no gap, none twice")
		}
		if got = append(got, tick); len(got) == n {
			break
		}
	}
	return got, nil
}

func TestFollowRetriesWhatARetryMayCureAndGivesUpOnTheRest(t *testing.T) {
	curable := []codes.Code{
		codes.OK, codes.Canceled, codes.Unknown, codes.DeadlineExceeded,
		codes.ResourceExhausted, codes.Aborted, codes.Internal, codes.Unavailable,
	}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup{exchange: failing{NewExchange(1), 3, code}}.start(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				got, err := take(t, Follow(ctx, h.client, &tickerv1.WatchRequest{}, FollowOptions{}), 10)
				if slices.Contains(curable, code) {
					require.NoError(t, err)
					require.Len(t, got, 10)
					return
				}
				require.Len(t, got, 3)
				require.Equal(t, code, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, "follow: a retry cannot help: ")
				require.ErrorContains(t, err, "it failed")
				require.Len(t, h.exchange, 1, "attempts")
			})
		})
	}
}

func TestTheWaitGrowsWithoutProgressAndIsShortAfterIt(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ticks int // of each stream
		grows bool
	}{
		{"no tick", 0, true},
		{"one tick", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup{exchange: failing{NewExchange(1), tt.ticks, codes.Unavailable}}.start(t)
				ctx, cancel := context.WithCancel(t.Context())
				var waits []time.Duration
				opts := FollowOptions{OnRetry: func(err error, wait time.Duration) {
					require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
					if waits = append(waits, wait); len(waits) == 50 {
						cancel()
					}
				}}
				for _, err := range Follow(ctx, h.client, &tickerv1.WatchRequest{}, opts) {
					if err != nil {
						require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
					}
				}
				if !tt.grows {
					require.Less(t, slices.Max(waits), 100*time.Millisecond)
					return
				}
				for i, wait := range waits {
					require.Less(t, wait, Backoff{}.limit(i+1), "wait %d", i+1)
				}
				require.Greater(t, slices.Max(waits), 10*time.Second)
			})
		})
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	down := script{watch: func(grpc.ServerStreamingServer[tickerv1.Tick]) error {
		return status.Error(codes.Unavailable, "not now")
	}}
	for _, tt := range []struct {
		name     string
		exchange tickerv1.TickerServiceServer
		retries  int
	}{
		{"in Recv", fallsSilent(0), 0},
		{"between two attempts", down, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup{exchange: tt.exchange}.start(t)
				retries := 0
				opts := FollowOptions{
					Backoff: Backoff{Base: 1e6 * time.Hour, Max: 1e6 * time.Hour}, // no wait is below a second
					Idle:    time.Hour,
					OnRetry: func(error, time.Duration) { retries++ },
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				_, err := take(t, Follow(ctx, h.client, &tickerv1.WatchRequest{}, opts), 1)
				require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
				require.Equal(t, time.Second, now())
				require.Equal(t, tt.retries, retries)

				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = take(t, Follow(ctx, h.client, &tickerv1.WatchRequest{}, opts), 1)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, 2*time.Second, now())
				require.Equal(t, 2*tt.retries, retries)
			})
		})
	}
}

func TestASecondLoopOverTheSameFollowStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		time.Sleep(100 * time.Second)
		req := &tickerv1.WatchRequest{After: new(uint64(50))}
		ticks := Follow(t.Context(), h.client, req, FollowOptions{})
		for range 2 {
			got, err := take(t, ticks, 3)
			require.NoError(t, err)
			require.Equal(t, uint64(51), got[0].GetSequence())
		}
		require.Equal(t, uint64(50), req.GetAfter(), "the request is the caller's")
	})
}

func TestAFollowerThatIsTooSlowGetsOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bulky()
		x.History, x.SendLimit = 10, time.Hour
		h := setup{exchange: x}.start(t)
		var last uint64
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for tick, err := range Follow(ctx, h.client, &tickerv1.WatchRequest{}, FollowOptions{}) {
			if err != nil {
				require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, "is no longer held; the oldest is")
				break
			}
			last = tick.GetSequence()
			time.Sleep(3 * time.Second) // three new ones for each one read
		}
		require.Greater(t, last, uint64(10))
	})
}

func TestAFollowerOfOneSymbolResumesAtThatSymbol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{exchange: failing{NewExchange(1), 3, codes.Unavailable}}.start(t)
		next := uint64(5)
		req := &tickerv1.WatchRequest{Symbols: []string{"ACME"}}
		for tick, err := range Follow(t.Context(), h.client, req, FollowOptions{}) {
			require.NoError(t, err)
			require.Equal(t, next, tick.GetSequence())
			if next += 5; next > 100 {
				break
			}
		}
	})
}
