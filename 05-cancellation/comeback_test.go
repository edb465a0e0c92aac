package cancellation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestFollowComesBackAfterEachKindOfFault(t *testing.T) {
	says := map[string]string{ // why the stream or the next attempt failed
		"drop":             "error reading from server: EOF",
		"cut in mid-frame": "error reading from server: unexpected EOF",
		"delay":            "", // it did not
		"half-open":        "keepalive ping failed to receive ACK within timeout",
		"refuse":           "connection refused",
		"restart":          "connection refused: the server is down",
	}
	for _, f := range faults {
		for i, where := range []string{"at the gateway", "at the exchange"} {
			t.Run(f.name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hops := twoHops(t, func() *Exchange { return NewExchange(1) })
					time.AfterFunc(10500*time.Millisecond, func() { f.inflict(hops[i], rand.New(rand.NewPCG(1, 1))) })
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					log := ""
					opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { log += err.Error() + "\n" }}

					got, err := take(t, Follow(ctx, hops[0].client, &tickerv1.WatchRequest{}, opts), 100)

					require.NoError(t, err)
					require.Len(t, got, 100)
					require.Equal(t, 100*time.Second, now(), "it has caught up")
					require.Equal(t, map[string]int{f.name: 1}, hops[i].net.faults)
					require.Contains(t, log, says[f.name])
					require.Equal(t, says[f.name] == "", log == "", "retries: %s", log)
				})
			})
		}
	}
}

// A connection that died is still the one that the next stream uses: only
// keepalive, or the operating system, takes it away.
func TestAnIdleLimitDoesNotHealADeadConnectionButKeepaliveDoes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []grpc.DialOption
		heals   bool
	}{
		{"an idle limit alone", nil, false},
		{"with keepalive", DialOptions(), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lan badNet
				h := setup{clientNet: lan.between, clientOptions: tt.options}.start(t)
				time.AfterFunc(10500*time.Millisecond, func() { lan.mustConn(t).silence() })
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				var retries []error
				opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { retries = append(retries, err) }}

				got, err := take(t, Follow(ctx, h.client, &tickerv1.WatchRequest{}, opts), 100)

				if tt.heals {
					require.NoError(t, err)
					require.Len(t, got, 100)
					return
				}
				require.Len(t, got, 10)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, 20*time.Minute, now())
				require.Greater(t, len(retries), 10, "in vain")
				for _, err := range retries {
					require.ErrorContains(t, err, "the server sent nothing for 1m0s")
				}
			})
		})
	}
}

// The one of a stream, that of Follow, comes on top of it.
func TestAConnectionHasABackoffOfItsOwn(t *testing.T) {
	for _, tt := range []struct {
		name      string
		options   []grpc.DialOption
		min, most int // dials in an hour
	}{
		{"of up to 2 minutes by default", nil, 30, 60},
		{"of up to 5 seconds", DialOptions(), 600, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				down := func(dialFunc) dialFunc {
					return func(context.Context, string) (net.Conn, error) {
						dials++
						return nil, errors.New("connection refused")
					}
				}
				h := setup{clientNet: down, clientOptions: tt.options}.start(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err := take(t, Follow(ctx, h.client, &tickerv1.WatchRequest{}, FollowOptions{}), 1)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				synctest.Wait()
				require.Greater(t, dials, tt.min)
				require.Less(t, dials, tt.most)
			})
		})
	}
}
