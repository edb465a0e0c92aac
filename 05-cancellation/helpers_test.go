package cancellation

import (
	"context"
	"errors"
	"iter"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

// A server is an exchange or a gateway in memory. Its clients connect to it
// over a network that can fail. It records how its handlers end.
type server struct {
	net      *faultnet.Network
	handlers ends
	start    func(tickerv1.TickerServiceServer)
	running  atomic.Pointer[memserver.Server] // nil after stop
}

// serveTicker starts a server, which ends with the test.
func serveTicker(t testing.TB, ticker tickerv1.TickerServiceServer, opts ...grpc.ServerOption) *server {
	s := &server{handlers: make(ends, 100)}
	s.net = faultnet.New(s.dial)
	opts = append(opts, grpc.ChainStreamInterceptor(s.handlers.record))
	s.start = func(ticker tickerv1.TickerServiceServer) {
		s.running.Store(memserver.Serve(func(r grpc.ServiceRegistrar) {
			tickerv1.RegisterTickerServiceServer(r, ticker)
		}, opts...))
	}
	s.start(ticker)
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() { _ = s.running.Swap(nil).Close() }

func (s *server) dial(ctx context.Context, addr string) (net.Conn, error) {
	if running := s.running.Load(); running != nil {
		return running.DialContext(ctx, addr)
	}
	return nil, errors.New("connection refused: the server is down")
}

// connect returns a connection to the server, which is closed when the test
// ends.
func (s *server) connect(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	opts = append([]grpc.DialOption{grpc.WithContextDialer(s.net.DialContext)}, opts...)
	conn, err := s.running.Load().NewClient(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // fails if the test has closed it
	return conn
}

// client returns a client of the server.
func (s *server) client(t testing.TB, opts ...grpc.DialOption) tickerv1.TickerServiceClient {
	return tickerv1.NewTickerServiceClient(s.connect(t, opts...))
}

// serveUntilSignal serves ticker as the commands do, but in memory. The drain
// may take 5 s.
func serveUntilSignal(t *testing.T, ticker tickerv1.TickerServiceServer, onDrain func()) (*servetest.Server, ends) {
	handlers := make(ends, 10)
	s := serve.New(grpc.StreamInterceptor(handlers.record))
	tickerv1.RegisterTickerServiceServer(s, ticker)
	s.Drain, s.OnDrain = 5*time.Second, onDrain
	return servetest.Start(t, s), handlers
}

// waitFirst is an interceptor that makes a server wait for a second before
// it handles a call.
func waitFirst(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	time.Sleep(time.Second)
	return handler(srv, stream)
}

// A hop is a server that a fault can restart.
type hop struct {
	*server
	ticker   func() tickerv1.TickerServiceServer // for each start
	restarts atomic.Int64
}

// dialHops starts an exchange and a gateway of it, with the options of the
// commands. The client is one of the gateway, which is the first hop.
func dialHops(t *testing.T, exchange func() tickerv1.TickerServiceServer) ([2]*hop, tickerv1.TickerServiceClient) {
	// With small buffers, a thousand connections need less memory.
	dialOptions := append(DialOptions(), grpc.WithReadBufferSize(1<<10), grpc.WithWriteBufferSize(1<<10))
	serverOptions := append(ServerOptions(), grpc.ReadBufferSize(1<<10), grpc.WriteBufferSize(1<<10))
	upstream := &hop{server: serveTicker(t, exchange(), serverOptions...), ticker: exchange}
	c := tickerv1.NewTickerServiceClient(upstream.connect(t, dialOptions...))
	relay := func() tickerv1.TickerServiceServer { return NewGateway(c) }
	gateway := &hop{server: serveTicker(t, relay(), serverOptions...), ticker: relay}
	return [2]*hop{gateway, upstream}, tickerv1.NewTickerServiceClient(gateway.connect(t, dialOptions...))
}

// faults returns how often each fault has happened.
func (h *hop) faults() map[string]int {
	faults := h.net.Faults()
	if n := h.restarts.Load(); n > 0 {
		faults["restarted"] = int(n)
	}
	return faults
}

// ends holds the ends that no test has looked at.
type ends chan end

// An end records how a handler or a call ended.
type end struct {
	at       time.Duration // since the start of the bubble
	err      error         // which the handler or the call returned
	ctx      error         // of the handler's context, just before
	cause    error         // of the handler's context
	timeLeft time.Duration // until the deadline when the handler began; 0: none
}

// next returns an end, which must have happened already.
func (e ends) next(t testing.TB) end {
	t.Helper()
	select {
	case end := <-e:
		return end
	default:
		require.FailNow(t, "no handler or call has ended")
		return end{}
	}
}

// record is a [grpc.StreamServerInterceptor].
func (e ends) record(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, timeLeft := stream.Context(), time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		timeLeft = time.Until(deadline)
	}
	err := handler(srv, stream)
	select {
	case e <- end{now(), err, ctx.Err(), context.Cause(ctx), timeLeft}:
	default: // a test with so many calls does not look at them
	}
	return err
}

// recordCall has the signature that [grpc.OnFinish] wants.
func (e ends) recordCall(err error) { e <- end{at: now(), err: err} }

// now returns the time since the start of the bubble.
func now() time.Duration {
	return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
}

// open calls Watch for all ticks.
func open(t testing.TB, ctx context.Context, c tickerv1.TickerServiceClient) grpc.ServerStreamingClient[tickerv1.Tick] {
	t.Helper()
	stream, err := c.Watch(ctx, &tickerv1.WatchRequest{})
	require.NoError(t, err)
	return stream
}

// recvOnTime receives n ticks, each at the moment at which the exchange
// publishes it.
func recvOnTime(t testing.TB, stream grpc.ServerStreamingClient[tickerv1.Tick], n int) {
	t.Helper()
	for range n {
		tick, err := stream.Recv()
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), tick.GetTimestamp().AsTime(), 0)
	}
}

// recvRest receives all ticks from tick 1 on, until the stream ends with an
// error, and returns the number of ticks and the error.
func recvRest(t testing.TB, stream grpc.ServerStreamingClient[tickerv1.Tick]) (n uint64, err error) {
	t.Helper()
	for {
		tick, err := stream.Recv()
		if err != nil {
			return n, err
		}
		n++
		require.Equal(t, n, tick.GetSequence())
	}
}

// take returns the first n ticks, or those before the first error. They must
// have no gap.
func take(t testing.TB, ticks iter.Seq2[*tickerv1.Tick, error], n int) (got []*tickerv1.Tick, err error) {
	t.Helper()
	for tick, err := range ticks {
		if err != nil {
			require.Nil(t, tick)
			return got, err
		}
		if len(got) > 0 {
			require.Equal(t, got[len(got)-1].GetSequence()+1, tick.GetSequence())
		}
		if got = append(got, tick); len(got) == n {
			break
		}
	}
	return got, nil
}

// A stub is a server that does what a test says.
type stub struct {
	tickerv1.UnimplementedTickerServiceServer
	OnWatch func(*tickerv1.WatchRequest, grpc.ServerStreamingServer[tickerv1.Tick]) error
}

func (s stub) Watch(req *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
	return s.OnWatch(req, stream)
}

// silentAfter returns a stub that sends n ticks, one per second, and then
// nothing more until the call is canceled.
func silentAfter(n uint64) stub {
	return stub{OnWatch: func(_ *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
		for i := range n {
			time.Sleep(time.Second)
			if err := stream.Send(&tickerv1.Tick{Sequence: i + 1}); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}}
}

// failAfter returns a stub that ends each call with code after n ticks of x.
func failAfter(n int, code codes.Code, x *Exchange) stub {
	return stub{OnWatch: func(req *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
		err := x.Watch(req, &limited{stream, n})
		if errors.Is(err, errLimit) {
			return status.Error(code, "it failed")
		}
		return err
	}}
}

var errLimit = errors.New("no more ticks can be sent")

// A limited stream fails after some ticks.
type limited struct {
	grpc.ServerStreamingServer[tickerv1.Tick]
	left int
}

func (l *limited) Send(tick *tickerv1.Tick) error {
	if l.left == 0 {
		return errLimit
	}
	l.left--
	return l.ServerStreamingServer.Send(tick)
}

// largeSymbol makes ticks of 4 KiB, so that 16 of them fill a flow-control
// window.
var largeSymbol = []string{strings.Repeat("X", 4<<10)}
