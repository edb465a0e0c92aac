package cancellation

import (
	"context"
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// serveUntilSignal serves ticker as the commands do, but in memory. The drain
// may take 5 s.
func serveUntilSignal(
	t *testing.T, ticker tickerv1.TickerServiceServer, onDrain func(),
) (s *servetest.Server, handlers ends) {
	handlers = make(ends, 10)
	server := serve.New(grpc.StreamInterceptor(handlers.record))
	tickerv1.RegisterTickerServiceServer(server, ticker)
	server.Drain, server.OnDrain = 5*time.Second, onDrain
	return servetest.Start(t, server), handlers
}

func TestDrain_OrderIsHealthStreamsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := new(Exchange)
		var health healthv1.HealthClient
		var checked *healthv1.HealthCheckResponse
		var failed error
		exchange, handlers := serveUntilSignal(t, x, func() {
			checked, failed = health.Check(context.Background(), &healthv1.HealthCheckRequest{})
			x.Drain()
		})
		conn := exchange.Dial(t)
		health = healthv1.NewHealthClient(conn)
		gateway := serveTicker(t, NewGateway(tickerv1.NewTickerServiceClient(conn)))
		stream := open(t, t.Context(), gateway.client(t))
		time.Sleep(100*time.Second + time.Second/2) // the client reads nothing yet

		exchange.Signal()
		require.NoError(t, exchange.Wait())
		synctest.Wait()

		require.NoError(t, failed)
		require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, checked.GetStatus())
		require.Equal(t, 100*time.Second+time.Second/2, now(), "the drain took time")
		require.Equal(t, now(), handlers.next(t).at)
		require.Equal(t, now(), gateway.handlers.next(t).at)
		n := requireRest(t, stream, codes.Unavailable, "shutting down; resume after 100")
		require.Equal(t, uint64(100), n)
	})
}

// In this test, the handler of the exchange is behind, because all buffers are
// full after about 30 ticks.
func TestDrain_SendsTicksPublishedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &Exchange{Symbols: largeSymbol, SendTimeout: math.MaxInt64}
		exchange, _ := serveUntilSignal(t, x, x.Drain)
		stream := open(t, t.Context(), tickerv1.NewTickerServiceClient(exchange.Dial(t)))
		time.Sleep(100*time.Second + time.Second/2)

		exchange.Signal()
		time.Sleep(2 * time.Second)
		x.Drain() // the second call has no effect
		n := requireRest(t, stream, codes.Unavailable, "shutting down; resume after 100")
		require.Equal(t, uint64(100), n)
		require.NoError(t, exchange.Wait())
		require.Equal(t, 102*time.Second+time.Second/2, now(), "the drain ends when the client has read")
	})
}

func TestDrain_IsBounded(t *testing.T) {
	for _, tt := range []struct {
		name           string
		symbols        []string
		told           bool
		after, handler time.Duration // half a second after this, the drain begins, and the handler ends
		ticks          uint64        // that the client gets
	}{
		{"handlers that do not know of the drain", nil, false, 40 * time.Second, 45 * time.Second, 45},
		{"handlers whose client does not read", largeSymbol, true, // 32 ticks fill all buffers
			40 * time.Second, 45 * time.Second, 15},
		{"a handler that has ended, and a full window", largeSymbol, true, // 15 ticks fit the client's window
			20 * time.Second, 20 * time.Second, 15},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			x := &Exchange{Symbols: tt.symbols}
			onDrain := x.Drain
			if !tt.told {
				onDrain = nil
			}
			exchange, handlers := serveUntilSignal(t, x, onDrain)
			stream := open(t, t.Context(), tickerv1.NewTickerServiceClient(exchange.Dial(t)))
			time.Sleep(tt.after + time.Second/2)

			exchange.Signal()
			require.NoError(t, exchange.Wait())

			require.Equal(t, tt.after+5*time.Second+time.Second/2, now(), "the drain may take 5 s")
			require.Equal(t, tt.handler+time.Second/2, handlers.next(t).at)
			n := requireRest(t, stream, codes.Unavailable, `debug data: "graceful_stop"`)
			require.Equal(t, tt.ticks, n)
		})
	}
}

func TestDrain_GatewayEndsItsUpstreamCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange))
		g := NewGateway(exchange.client(t))
		gateway, handlers := serveUntilSignal(t, g, g.Drain)
		stream := open(t, t.Context(), tickerv1.NewTickerServiceClient(gateway.Dial(t)))
		time.Sleep(100*time.Second + time.Second/2)

		gateway.Signal()
		require.NoError(t, gateway.Wait())
		synctest.Wait()

		require.Equal(t, 100*time.Second+time.Second/2, now(), "the drain took time")
		require.Equal(t, now(), handlers.next(t).at)
		require.Equal(t, now(), exchange.handlers.next(t).at)
		n := requireRest(t, stream, codes.Unavailable, "shutting down; resume after your last tick")
		require.Equal(t, uint64(100), n)
	})
}

// Both servers listen on loopback.
func TestServeGateway_DrainsWhenContextEnds(t *testing.T) {
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "localhost:0")
		require.NoError(t, err)
		return listener
	}
	exchange, atExchange := grpc.NewServer(), listen()
	tickerv1.RegisterTickerServiceServer(exchange, &Exchange{Interval: time.Millisecond})
	go func() { _ = exchange.Serve(atExchange) }()
	defer exchange.Stop()
	ctx, signal := context.WithCancel(t.Context())
	defer signal()
	atGateway, served := listen(), make(chan error, 1)
	go func() { served <- serveGateway(ctx, atGateway, atExchange.Addr().String()) }()
	conn, err := grpc.NewClient(atGateway.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	stream := open(t, t.Context(), tickerv1.NewTickerServiceClient(conn))
	_, err = stream.Recv()
	require.NoError(t, err)

	signal()

	for err == nil {
		_, err = stream.Recv()
	}
	require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
	require.ErrorContains(t, err, "shutting down; resume after your last tick")
	require.NoError(t, <-served)
}

func TestServeGateway_ReturnsErrorOfListener(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.ErrorIs(t, serveGateway(t.Context(), listener, "localhost:1"), net.ErrClosed)
}

func TestDrain_RefusesNewStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, g := new(Exchange), NewGateway(serveTicker(t, new(Exchange)).client(t))
		for range 2 { // the second call of Drain has no effect
			x.Drain()
			g.Drain()
		}
		for _, ticker := range []tickerv1.TickerServiceServer{x, g} {
			_, err := open(t, t.Context(), serveTicker(t, ticker).client(t)).Recv()
			require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "shutting down; resume after ")
		}
	})
}
