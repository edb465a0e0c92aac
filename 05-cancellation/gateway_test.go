package cancellation

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
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

		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		atGateway, atExchange := gateway.handlers.next(t), exchange.handlers.next(t)
		require.Equal(t, 3500*time.Millisecond, atGateway.at)
		require.Equal(t, 3500*time.Millisecond, exchange.calls.next(t).at)
		require.Equal(t, 3500*time.Millisecond, atExchange.at)
		require.Equal(t, "context canceled", atGateway.context)
		require.Equal(t, "context canceled", atExchange.context)
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

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 10500*time.Millisecond, now())
		atExchange := exchange.handlers.next(t)
		require.Equal(t, 9500*time.Millisecond, atExchange.timeLeft, "10.5 s less the second in the gateway")
		require.Equal(t, 10500*time.Millisecond, gateway.handlers.next(t).at)
		require.Equal(t, 10500*time.Millisecond, exchange.calls.next(t).at)
		require.Equal(t, 10500*time.Millisecond, atExchange.at)
	})
}

// withoutContext returns a gateway with a mistake: it does not pass on the
// context of the call that it serves.
func withoutContext(upstream tickerv1.TickerServiceClient) stub {
	return stub{OnWatch: func(req *tickerv1.WatchRequest, down serverStream) error {
		up, err := upstream.Watch(context.Background(), req) // not down.Context()
		for err == nil {
			var tick *tickerv1.Tick
			if tick, err = up.Recv(); err == nil {
				err = down.Send(tick)
			}
		}
		return err
	}}
}

func TestGateway_WithoutContextLeavesUpstreamRunning(t *testing.T) {
	for _, tt := range []struct {
		name     string
		exchange *Exchange
		forever  bool
	}{
		{"forever", &Exchange{Symbols: largeSymbol, SendTimeout: math.MaxInt64}, true},
		{"until the buffers are full and the send timeout has passed", new(Exchange), false},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			exchange := serveTicker(t, tt.exchange)
			gateway := serveTicker(t, withoutContext(exchange.client(t)))
			ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
			defer cancel()
			stream := open(t, ctx, gateway.client(t))
			recvOnTime(t, stream, 10)
			_, err := stream.Recv()
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)

			time.Sleep(24 * time.Hour)
			require.Equal(t, 11*time.Second, gateway.handlers.next(t).at, "when it sends the next tick")
			if tt.forever {
				require.Empty(t, exchange.handlers, "the handler of the exchange has ended")
				return
			}
			end := exchange.handlers.next(t)
			require.Zero(t, end.timeLeft, "the call had a deadline")
			require.InDelta(t, 80, end.at.Minutes(), 20)
			require.Equal(t, codes.Aborted, status.Code(end.err), "got %v", end.err)
		})
	}
}
