package cancellation

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestGateway_CancelEndsBothHopsInSameInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange, gateway, c := serveHops(t, new(Exchange))
		ctx, cancel := context.WithCancel(t.Context())
		stream := open(t, ctx, c)
		recvOnTime(t, stream, 3)
		time.Sleep(500 * time.Millisecond)

		cancel()
		_, err := stream.Recv()
		synctest.Wait() // no time passes

		require.Equal(t, codes.Canceled.String(), status.Code(err).String(), "got %v", err)
		atGateway, atExchange := gateway.handlers.next(t), exchange.handlers.next(t)
		require.Equal(t, 3500*time.Millisecond, atGateway.at)
		require.Equal(t, 3500*time.Millisecond, exchange.calls.next(t).at)
		require.Equal(t, 3500*time.Millisecond, atExchange.at)
		require.Equal(t, "context canceled", atGateway.context)
		require.Equal(t, "context canceled", atExchange.context)
		require.Equal(t, codes.Canceled.String(), status.Code(atExchange.err).String(), "got %v", atExchange.err)
	})
}

func TestGateway_DeadlineShrinksAtEachHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange, gateway, c := serveHops(t, new(Exchange), grpc.ChainStreamInterceptor(waitFirst))
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()

		stream := open(t, ctx, c)
		recvOnTime(t, stream, 9) // ticks 2 to 10: tick 1 was published too early
		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, 10500*time.Millisecond, now())
		atExchange := exchange.handlers.next(t)
		require.Equal(t, 9500*time.Millisecond, atExchange.timeLeft, "10.5 s less the second in the gateway")
		require.Equal(t, 10500*time.Millisecond, gateway.handlers.next(t).at)
		require.Equal(t, 10500*time.Millisecond, exchange.calls.next(t).at)
		require.Equal(t, 10500*time.Millisecond, atExchange.at)
	})
}

func TestRelay_PassesOnDeadlineAndNoMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := make(chan []string, 2) // at the gateway, then at the exchange
		watched := func(next tickerv1.TickerServiceServer) stub {
			return stub{OnWatch: func(req *tickerv1.WatchRequest, stream serverStream) error {
				tokens <- metadata.ValueFromIncomingContext(stream.Context(), "token")
				return next.Watch(req, stream)
			}}
		}
		exchange := serveTicker(t, watched(failAfter(0, errFailed, new(Exchange))))
		gateway := serveTicker(t, watched(relay{upstream: exchange.client(t)}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		stream := open(t, metadata.AppendToOutgoingContext(ctx, "token", "secret"), gateway.client(t))
		requireRest(t, stream, codes.Unavailable, "it failed")

		require.Equal(t, []string{"secret"}, <-tokens, "at the gateway")
		require.Empty(t, <-tokens, "at the exchange")
		require.Equal(t, time.Minute, exchange.handlers.next(t).timeLeft)
	})
}

func TestRelay_OwnLimitKeepsTheEarlierDeadline(t *testing.T) {
	for deadline, want := range map[time.Duration]time.Duration{
		2 * time.Second: 2 * time.Second, time.Minute: 10 * time.Second, // with a limit of 10 s
	} {
		subtest(t, deadline.String(), func(t *testing.T) {
			exchange := serveTicker(t, silentAfter(0))
			upstream := exchange.client(t)
			gateway := serveTicker(t, stub{OnWatch: func(req *tickerv1.WatchRequest, down serverStream) error {
				ctx, cancel := context.WithTimeout(down.Context(), 10*time.Second)
				defer cancel()
				up, err := upstream.Watch(ctx, req)
				if err != nil {
					return err
				}
				return forward(up, down)
			}})
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			requireRest(t, open(t, ctx, gateway.client(t)), codes.DeadlineExceeded, "")
			synctest.Wait()
			require.Equal(t, want, now())
			require.Equal(t, want, exchange.handlers.next(t).timeLeft)
		})
	}
}

func TestCopyKey_PassesOnOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := make(chan metadata.MD, 1)
		upstream := serveTicker(t, stub{OnWatch: func(_ *tickerv1.WatchRequest, stream serverStream) error {
			md, _ := metadata.FromIncomingContext(stream.Context())
			received <- md
			return nil
		}}).client(t)
		gateway := serveTicker(t, stub{OnWatch: func(req *tickerv1.WatchRequest, down serverStream) error {
			up, err := upstream.Watch(copyKey(down.Context(), "token"), req)
			if err != nil {
				return err
			}
			return forward(up, down)
		}})
		ctx := metadata.AppendToOutgoingContext(t.Context(), "token", "one", "token", "two", "other", "three")

		_, err := open(t, ctx, gateway.client(t)).Recv()

		require.ErrorIs(t, err, io.EOF)
		got := <-received
		require.Equal(t, []string{"one", "two"}, got.Get("token"))
		require.Empty(t, got.Get("other"))
	})
}

func TestGateway_LoopEndsAfterMaxHops(t *testing.T) {
	for _, tt := range []struct {
		name     string
		gateways int
		calls    int64 // that the first gateway gets
	}{
		{"its own upstream", 1, 9},
		{"A, B, A", 2, 5},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			var first *Gateway
			var calls atomic.Int64
			s := serveTicker(t, stub{OnWatch: func(req *tickerv1.WatchRequest, stream serverStream) error {
				if calls.Add(1) > 100 {
					return status.Error(codes.DataLoss, "the loop does not end")
				}
				return first.Watch(req, stream)
			}})
			c := s.client(t)
			for range tt.gateways - 1 {
				c = serveTicker(t, NewGateway(c)).client(t)
			}
			first = NewGateway(c)

			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			got, err := take(t, Follow(ctx, s.client(t), &tickerv1.WatchRequest{}, FollowOptions{}), 1)

			require.Empty(t, got)
			require.Equal(t, codes.FailedPrecondition.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "ticker-hops: must be at most 8, got 9; a gateway may be its own upstream")
			require.Equal(t, tt.calls, calls.Load())
			require.Zero(t, now())
		})
	}
}

func TestGateway_ChainMayHaveMaxHops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveTicker(t, new(Exchange)).client(t)
		for range MaxHops {
			c = serveTicker(t, NewGateway(c)).client(t)
		}
		recvOnTime(t, open(t, t.Context(), c), 3)

		last := serveTicker(t, NewGateway(c)).client(t)
		for _, crossed := range []string{"0", "4294967295"} {
			_, err := open(t, metadata.AppendToOutgoingContext(t.Context(), "ticker-hops", crossed), last).Recv()
			require.Equal(t, codes.FailedPrecondition.String(), status.Code(err).String(), "got %v", err)
		}
	})
}

func TestGateway_RefusesInvalidHops(t *testing.T) {
	for _, hops := range []string{"-1", "4294967296", "many", ""} {
		subtest(t, strconv.Quote(hops), func(t *testing.T) {
			exchange, _, c := serveHops(t, new(Exchange))
			_, err := open(t, metadata.AppendToOutgoingContext(t.Context(), "ticker-hops", hops), c).Recv()
			require.Equal(t, codes.InvalidArgument.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "ticker-hops: must be a number, got ")
			require.Empty(t, exchange.calls, "the gateway called the exchange")
		})
	}
}

func TestGateway_PassesOnStatus(t *testing.T) {
	subtest(t, "Canceled by the upstream", func(t *testing.T) {
		canceled := status.Error(codes.Canceled, "by the exchange")
		_, _, c := serveHops(t, failAfter(1, canceled, new(Exchange)))
		requireRest(t, open(t, t.Context(), c), codes.Canceled, "by the exchange")
	})
	subtest(t, "of its own while it drains", func(t *testing.T) {
		exchange := serveTicker(t, &Exchange{Symbols: largeSymbol, SendTimeout: math.MaxInt64})
		g := NewGateway(exchange.client(t))
		gateway := serveTicker(t, g)
		stream := open(t, t.Context(), gateway.client(t))
		time.Sleep(time.Minute) // all buffers are full
		g.Drain()
		require.Empty(t, gateway.handlers, "the handler does not wait for the client")
		time.Sleep(time.Minute)
		require.Equal(t, codes.Aborted.String(), status.Code(gateway.handlers.next(t).err).String())
		requireRest(t, stream, codes.Aborted, "the client read nothing for 1m0s")
	})
}

// A connection of the gateway carries the calls of all its watchers, and the
// upstream allows only some of them.
func TestGateway_FullUpstreamIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange), grpc.MaxConcurrentStreams(1))
		gateway := serveTicker(t, NewGateway(exchange.client(t)))
		c := gateway.client(t)
		first := open(t, t.Context(), c)
		recvOnTime(t, first, 1)

		start := time.Now()
		_, err := open(t, t.Context(), c).Recv()
		require.EqualError(t, err, "rpc error: code = Unavailable desc = "+
			"the upstream accepted no call within 10s; watch again later")
		require.Equal(t, 10*time.Second, time.Since(start))
		require.True(t, Retryable(err))
	})
}

func TestGateway_WaitsForConnectionAtMostTenSeconds(t *testing.T) {
	for name, tt := range map[string]struct {
		dial func(context.Context, string) (net.Conn, error)
		took time.Duration
		text string
	}{
		"the dial hangs": {func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, OpenTimeout, "the upstream accepted no call within 10s"},
		"the dial fails": {func(context.Context, string) (net.Conn, error) {
			time.Sleep(time.Second)
			return nil, errors.New("refused")
		}, time.Second, "Error while dialing: refused"},
	} {
		subtest(t, name, func(t *testing.T) {
			exchange := serveTicker(t, new(Exchange))
			c := serveTicker(t, NewGateway(exchange.client(t, grpc.WithContextDialer(tt.dial)))).client(t)
			_, err := open(t, t.Context(), c).Recv()
			require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, tt.text)
			require.Equal(t, tt.took, now())
		})
	}
}
