package cancellation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/golden"
)

// The connection between client and gateway becomes half-open. Each side
// notices only if it has keepalive, because no close and no reset can cross
// that connection.
func TestKeepalive_NoticesHalfOpenConnection(t *testing.T) {
	const never, byDefault, configured = 24 * time.Hour, 2*time.Hour + 20*time.Second, 30 * time.Second
	table := "| keepalive | the client notices after | the gateway and the exchange notice after |\n|---|---|---|\n"
	for _, tt := range []struct {
		name           string
		client         []grpc.DialOption
		server         []grpc.ServerOption
		clientNotices  time.Duration
		gatewayNotices time.Duration
	}{
		{"by default", nil, nil, never, byDefault},
		{"of the client: 20s, 10s", DialOptions(), nil, configured, byDefault},
		{"of the server: 20s, 10s", nil, ServerOptions(), never, configured},
		{"of both", DialOptions(), ServerOptions(), configured, configured},
	} {
		cell := strings.ReplaceAll(tt.clientNotices.String(), never.String(), "not within 24h")
		table += fmt.Sprintf("| %s | %s | %v |\n", tt.name, cell, tt.gatewayNotices)
		subtest(t, tt.name, func(t *testing.T) {
			exchange, gateway, _ := serveHops(t, &Exchange{Interval: 10 * time.Minute}, tt.server...)
			ctx, cancel := context.WithTimeout(t.Context(), never)
			defer cancel()
			stream := open(t, ctx, gateway.client(t, tt.client...))
			synctest.Wait() // until the call has reached the exchange
			gateway.net.Conn().HalfOpen()

			_, err := stream.Recv()
			require.Equal(t, tt.clientNotices, now())
			if tt.clientNotices != never {
				require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
			}
			time.Sleep(byDefault)
			require.Equal(t, tt.gatewayNotices, gateway.handlers.next(t).at)
			require.Equal(t, tt.gatewayNotices, exchange.handlers.next(t).at)
		})
	}
	golden.Section(t, "../docs/hops.md", "half-open", table)
}

func TestKeepalive_TooManyPingsEndConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server []grpc.ServerOption
		client []grpc.DialOption
		ends   bool
	}{
		{"by default, one in 5 minutes is allowed", nil, DialOptions(), true},
		{"ServerOptions allow those of DialOptions", ServerOptions(), DialOptions(), false},
		{"ServerOptions allow one in 10 s", ServerOptions(), []grpc.DialOption{
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second}),
		}, false},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			exchange, gateway, _ := serveHops(t, silentAfter(1), tt.server...)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
			defer cancel()
			stream := open(t, ctx, gateway.client(t, tt.client...))
			_, err := stream.Recv()
			require.NoError(t, err)

			_, err = stream.Recv()
			synctest.Wait()

			if !tt.ends {
				require.Equal(t, 2*time.Hour, now())
				return
			}
			require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, `code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`)
			third := time.Second + 3*pingAfter // the tick came after a second
			require.Equal(t, third+time.Second, now(), "the server waits a second after GOAWAY")
			require.Equal(t, now(), gateway.handlers.next(t).at)
			require.Equal(t, now(), exchange.handlers.next(t).at)
		})
	}
}

// The next call uses the connection that exists, even if it is half-open: an
// idle timeout ends a call, and no connection.
func TestKeepalive_IsNotReplacedByIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, gateway, c := serveHops(t, new(Exchange))
		time.AfterFunc(10500*time.Millisecond, func() { gateway.net.Conn().HalfOpen() })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		retries := 0
		opts := FollowOptions{OnRetry: func(err error, _ time.Duration) {
			require.ErrorContains(t, err, "the server sent nothing for 1m0s")
			retries++
		}}

		got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 100)

		require.Len(t, got, 10)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, 20*time.Minute, now())
		require.Greater(t, retries, 10)
	})
}

// A connection has its own backoff, besides that of Follow.
func TestDialOptions_ShortenConnectionBackoff(t *testing.T) {
	for _, tt := range []struct {
		name     string
		options  []grpc.DialOption
		min, max int // dials in an hour
	}{
		{"at most 2 minutes, by default", nil, 30, 60},
		{"at most 5 seconds", DialOptions(), 600, 1000},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			dials := 0
			refuse := grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
				dials++
				return nil, errors.New("connection refused")
			})
			c := serveTicker(t, new(Exchange)).client(t, append(tt.options, refuse)...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}), 1)
			require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
			synctest.Wait()
			require.Greater(t, dials, tt.min)
			require.Less(t, dials, tt.max)
		})
	}
}

func TestDialOptions_LimitTimeOfOneDial(t *testing.T) {
	for _, tt := range []struct {
		name     string
		options  []grpc.DialOption
		want     time.Duration
		from, to time.Duration // the longest dial
	}{
		{"by default", nil, 20 * time.Second, 96 * time.Second, 144 * time.Second},
		{"with DialOptions", DialOptions(), 5 * time.Second, 5 * time.Second, 6 * time.Second},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			var longest time.Duration
			hang := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				start := time.Now()
				<-ctx.Done()
				longest = max(longest, time.Since(start))
				return nil, ctx.Err()
			})
			c := serveTicker(t, new(Exchange)).client(t, append(tt.options, hang)...)
			stream, err := c.Watch(t.Context(), &tickerv1.WatchRequest{})
			require.Nil(t, stream, "a stream beside an error")
			require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
			require.Equal(t, tt.want, now())
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, _ = take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}), 1)
			synctest.Wait()
			require.GreaterOrEqual(t, longest, tt.from)
			require.LessOrEqual(t, longest, tt.to)
		})
	}
}
