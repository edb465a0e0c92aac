package cancellation

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// The connection between client and gateway becomes half-open. Each side
// notices only if it has keepalive, because no close and no reset can cross
// that connection.
func TestKeepalive_NoticesHalfOpenConnection(t *testing.T) {
	ofClient := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second})
	ofServer := grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 10 * time.Second})
	allow := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute})
	const never, byDefault, configured = 0, 2*time.Hour + 20*time.Second, time.Minute + 10*time.Second
	for _, tt := range []struct {
		name           string
		client         grpc.DialOption
		server         grpc.ServerOption
		clientNotices  time.Duration // after the last byte
		gatewayNotices time.Duration
	}{
		{"by default", grpc.EmptyDialOption{}, grpc.EmptyServerOption{}, never, byDefault},
		{"of the client", ofClient, grpc.EmptyServerOption{}, configured, byDefault},
		{"of the server", grpc.EmptyDialOption{}, ofServer, never, configured},
		{"of both", ofClient, ofServer, configured, configured},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange := serveTicker(t, &Exchange{Interval: 10 * time.Minute})
				gateway := serveTicker(t, NewGateway(exchange.client(t)), tt.server, allow)
				c := gateway.client(t, tt.client)
				stream := open(t, t.Context(), c)
				recvOnTime(t, stream, 1)
				sendBytes(t, c)
				gateway.handlers.next(t)
				exchange.handlers.next(t)
				gateway.net.Conn().HalfOpen()
				last := now() // byte in either direction
				client := make(ends, 1)
				go func() {
					_, err := stream.Recv()
					client.recordCall(err)
				}()
				time.Sleep(24 * time.Hour)

				require.Equal(t, last+tt.gatewayNotices, gateway.handlers.next(t).at)
				require.Equal(t, last+tt.gatewayNotices, exchange.handlers.next(t).at)
				if tt.clientNotices == never {
					require.Empty(t, client, "Recv has returned")
					return
				}
				end := client.next(t)
				require.Equal(t, last+tt.clientNotices, end.at)
				require.Equal(t, codes.Unavailable, status.Code(end.err), "got %v", end.err)
			})
		})
	}
}

// sendBytes makes a call that fails, so that bytes cross both hops in both
// directions.
func sendBytes(t *testing.T, c tickerv1.TickerServiceClient) {
	t.Helper()
	stream, err := c.Watch(t.Context(), &tickerv1.WatchRequest{Symbols: []string{"?"}})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
}

// Here the connection between gateway and exchange becomes half-open.
func TestKeepalive_GatewayPassesOnDeadUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange), ServerOptions()...)
		gateway := serveTicker(t, NewGateway(exchange.client(t, DialOptions()...)))
		stream := open(t, t.Context(), gateway.client(t))
		recvOnTime(t, stream, 10)
		exchange.net.Conn().HalfOpen()

		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Equal(t, 10*time.Second+pingAfter+pongWithin, now(), "the last tick came at 10 s")
		require.Equal(t, now(), gateway.handlers.next(t).at)
		time.Sleep(pingAfter + pongWithin)
		require.LessOrEqual(t, exchange.handlers.next(t).at, now())
	})
}

func TestKeepalive_TooManyPingsEndConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server []grpc.ServerOption
		ends   bool
	}{
		{"one in 5 minutes is allowed, by default", nil, true},
		{"so many are allowed", ServerOptions(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange := serveTicker(t, silentAfter(1))
				gateway := serveTicker(t, NewGateway(exchange.client(t)), tt.server...)
				stream := open(t, t.Context(), gateway.client(t, DialOptions()...))
				_, err := stream.Recv()
				require.NoError(t, err)
				client := make(ends, 1)
				go func() {
					_, err := stream.Recv()
					client.recordCall(err)
				}()
				time.Sleep(2 * time.Hour)

				if !tt.ends {
					require.Empty(t, client, "Recv has returned")
					return
				}
				end := client.next(t)
				require.Equal(t, codes.Unavailable, status.Code(end.err), "got %v", end.err)
				require.ErrorContains(t, end.err, `code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`)
				third := time.Second + 3*pingAfter // the tick came after a second
				require.Equal(t, third+time.Second, end.at, "the server waits a second after GOAWAY")
				require.Equal(t, end.at, gateway.handlers.next(t).at)
				require.Equal(t, end.at, exchange.handlers.next(t).at)
			})
		})
	}
}

// The next call uses the connection that exists, even if that is half-open.
// Only keepalive or the operating system closes it.
func TestKeepalive_ReplacesHalfOpenConnection(t *testing.T) {
	for _, tt := range []struct {
		name     string
		options  []grpc.DialOption
		recovers bool
	}{
		{"idle timeout only", nil, false},
		{"with keepalive", DialOptions(), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange := serveTicker(t, new(Exchange))
				gateway := serveTicker(t, NewGateway(exchange.client(t)))
				c := gateway.client(t, tt.options...)
				time.AfterFunc(10500*time.Millisecond, func() { gateway.net.Conn().HalfOpen() })
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				var retries []error
				opts := FollowOptions{OnRetry: func(err error, _ time.Duration) { retries = append(retries, err) }}

				got, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, opts), 100)

				if tt.recovers {
					require.NoError(t, err)
					require.Len(t, got, 100)
					return
				}
				require.Len(t, got, 10)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, 20*time.Minute, now())
				require.Greater(t, len(retries), 10)
				for _, err := range retries {
					require.ErrorContains(t, err, "the server sent nothing for 1m0s")
				}
			})
		})
	}
}

// A connection has a backoff besides that of Follow.
func TestDialOptions_ShortenConnectionBackoff(t *testing.T) {
	for _, tt := range []struct {
		name     string
		options  []grpc.DialOption
		min, max int // dials in an hour
	}{
		{"at most 2 minutes, by default", nil, 30, 60},
		{"at most 5 seconds", DialOptions(), 600, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				refuse := grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
					dials++
					return nil, errors.New("connection refused")
				})
				c := serveTicker(t, new(Exchange)).client(t, append(tt.options, refuse)...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err := take(t, Follow(ctx, c, &tickerv1.WatchRequest{}, FollowOptions{}), 1)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				synctest.Wait()
				require.Greater(t, dials, tt.min)
				require.Less(t, dials, tt.max)
			})
		})
	}
}
