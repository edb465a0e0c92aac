package cancellation

import (
	"context"
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
	"google.golang.org/grpc/test/bufconn"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/serve"
)

func TestGracefulStopAloneNeverReturnsWhileAWatcherIsConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := NewExchange(1)
		x.Interval = 10 * time.Minute
		h := setup{exchange: x}.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		stream := watch(t, ctx, h.client)
		recv(t, stream, 1)
		stopped := make(chan time.Duration, 1)
		go func() {
			h.exchangeServer.GracefulStop()
			stopped <- now()
		}()

		recv(t, stream, 24*6)
		require.Empty(t, stopped, "a day later it still waits")

		cancel()
		require.Equal(t, 24*time.Hour+10*time.Minute, <-stopped)
	})
}

func TestTheRightOrderIsHealthThenTheStreamsThenStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := NewExchange(1)
		s := serveUntilSignal(t, x)
		healthWas := make(chan string, 1)
		s.OnDrain = func() {
			healthWas <- s.health(t)
			x.Drain()
		}
		gateway := make(ends, 1)
		through := serveTicker(t, NewGateway(tickerv1.NewTickerServiceClient(s.conn)), gateway, nil).Dial(t)
		stream := watch(t, t.Context(), tickerv1.NewTickerServiceClient(through))
		require.Equal(t, "SERVING", s.health(t))
		time.Sleep(100*time.Second + time.Second/2) // and read nothing yet

		s.signal()
		require.NoError(t, <-s.served)
		synctest.Wait()

		require.Equal(t, 100*time.Second+time.Second/2, now(), "nobody had to wait")
		require.Equal(t, now(), s.handlers.next(t).at)
		require.Equal(t, now(), gateway.next(t).at)
		require.Equal(t, "NOT_SERVING", <-healthWas, "before the streams were told")
		last := checkEnd(t, stream, codes.Unavailable, "the exchange is shutting down")
		require.Equal(t, uint64(100), last, "all that was published before the signal")
	})
}

// Here the exchange itself is behind: the buffers are full after some 30
// ticks, and the rest is only published.
func TestAHandlerThatIsBehindSendsWhatWasPublishedBeforeTheSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bulky()
		x.SendLimit = time.Hour
		s := serveUntilSignal(t, x)
		s.OnDrain = x.Drain
		stream := watch(t, t.Context(), tickerv1.NewTickerServiceClient(s.conn))
		time.Sleep(100*time.Second + time.Second/2)

		s.signal()
		time.Sleep(2 * time.Second)
		last := checkEnd(t, stream, codes.Unavailable, "the exchange is shutting down")
		require.Equal(t, uint64(100), last)
		require.NoError(t, <-s.served)
		require.Equal(t, 102*time.Second+time.Second/2, now(), "when the watcher has read")
	})
}

func TestTheWaitForStreamsThatDoNotFinishIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name     string
		exchange func() *Exchange
		told     bool
	}{
		{"nobody tells them", func() *Exchange { return NewExchange(1) }, false},
		{"nobody reads them", bulky, true}, // 32 ticks fill all buffers
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := tt.exchange()
				s := serveUntilSignal(t, x)
				if tt.told {
					s.OnDrain = x.Drain
				}
				client := tickerv1.NewTickerServiceClient(s.conn)
				stream := watch(t, t.Context(), client)
				time.Sleep(40 * time.Second)

				s.signal()
				require.NoError(t, <-s.served)

				require.Equal(t, 45*time.Second, now(), "Drain is 5 s")
				checkEnd(t, stream, codes.Unavailable, "error reading from server: EOF")
			})
		})
	}
}

func TestADrainedGatewaySaysSoAndLetsGoOfItsUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		g := NewGateway(tickerv1.NewTickerServiceClient(h.upstream))
		s := serveUntilSignal(t, g)
		s.OnDrain = g.Drain
		stream := watch(t, t.Context(), tickerv1.NewTickerServiceClient(s.conn))
		time.Sleep(100*time.Second + time.Second/2)

		s.signal()
		require.NoError(t, <-s.served)
		synctest.Wait()

		require.Equal(t, 100*time.Second+time.Second/2, now(), "nobody had to wait")
		require.Equal(t, now(), s.handlers.next(t).at)
		require.Equal(t, now(), h.exchange.next(t).at)
		last := checkEnd(t, stream, codes.Unavailable, "the gateway is shutting down")
		require.Equal(t, uint64(100), last)
	})
}

func TestAServerThatDrainsTakesNoNewStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		x, g := NewExchange(1), NewGateway(tickerv1.NewTickerServiceClient(h.upstream))
		x.Drain()
		g.Drain()
		g.Drain() // once more does no harm
		for _, ticker := range []tickerv1.TickerServiceServer{x, g} {
			stream := watch(t, t.Context(), setup{exchange: ticker}.start(t).client)
			_, err := stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, "is shutting down")
		}
	})
}

// A realServer is a server as cmd/server runs it, but in memory.
type realServer struct {
	*serve.Server
	conn   *grpc.ClientConn
	signal context.CancelFunc
	served chan error // what ServeUntil returned

	handlers ends
}

func serveUntilSignal(t *testing.T, ticker tickerv1.TickerServiceServer) *realServer {
	s := &realServer{served: make(chan error, 1), handlers: make(ends, 10)}
	s.Server = serve.New(grpc.StreamInterceptor(s.handlers.handler))
	s.Drain = 5 * time.Second
	tickerv1.RegisterTickerServiceServer(s, ticker)
	listener := bufconn.Listen(64 << 10)
	ctx, cancel := context.WithCancel(context.Background())
	s.signal = cancel
	go func() { s.served <- s.ServeUntil(ctx, listener) }()

	conn, err := grpc.NewClient("passthrough:///server",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	s.conn = conn
	return s
}

// health asks the server how it is.
func (s *realServer) health(t *testing.T) string {
	health, err := healthv1.NewHealthClient(s.conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	return health.GetStatus().String()
}
