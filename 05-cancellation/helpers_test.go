package cancellation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver"
	"example.com/streams/internal/memserver/memservertest"
)

type (
	serverStream = grpc.ServerStreamingServer[tickerv1.Tick]
	clientStream = grpc.ServerStreamingClient[tickerv1.Tick]
)

// subtest runs f as a subtest, in a bubble of its own.
func subtest(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// A server is an exchange or a gateway in memory. Its clients connect to it
// over a network that can fail.
type server struct {
	net       *faultnet.Network
	handlers  ends                                // of the server
	calls     ends                                // of its clients
	newTicker func() tickerv1.TickerServiceServer // for each start
	opts      []grpc.ServerOption
	running   atomic.Pointer[memserver.Server]
	restarts  atomic.Int64
}

// serveTicker starts a server, which ends with the test. A test that takes
// longer than twice [memservertest.Limit] fails, because a call that never ends
// would take until the end of time.
func serveTicker(t testing.TB, ticker tickerv1.TickerServiceServer, opts ...grpc.ServerOption) *server {
	s := &server{handlers: make(ends, 10), calls: make(ends, 10)}
	s.net = faultnet.New(s.dial)
	s.newTicker = func() tickerv1.TickerServiceServer { return ticker }
	s.opts = append(opts, grpc.ChainStreamInterceptor(s.handlers.record))
	s.start()
	t.Cleanup(s.stop)
	limit := time.AfterFunc(2*memservertest.Limit, func() {
		t.Errorf("a call is still open after %v", 2*memservertest.Limit)
		s.running.Load().Stop()
	})
	t.Cleanup(func() { limit.Stop() })
	return s
}

func (s *server) start() {
	s.running.Store(memserver.Serve(func(r grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(r, s.newTicker())
	}, s.opts...))
}

func (s *server) stop() { _ = s.running.Load().Close() }

func (s *server) dial(ctx context.Context, addr string) (net.Conn, error) {
	return s.running.Load().DialContext(ctx, addr)
}

// connect returns a connection to the server, which is closed when the test
// ends.
func (s *server) connect(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	opts = append([]grpc.DialOption{
		grpc.WithContextDialer(s.net.DialContext),
		grpc.WithDefaultCallOptions(grpc.OnFinish(s.calls.recordCall)),
	}, opts...)
	conn, err := s.running.Load().NewClient(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // fails if the test has closed it
	return conn
}

// client returns a client of the server.
func (s *server) client(t testing.TB, opts ...grpc.DialOption) tickerv1.TickerServiceClient {
	return tickerv1.NewTickerServiceClient(s.connect(t, opts...))
}

// faults returns how often each fault has happened.
func (s *server) faults() map[string]int {
	faults := s.net.Faults()
	if n := s.restarts.Load(); n > 0 {
		faults["restarted"] = int(n)
	}
	return faults
}

// serveHops starts an exchange and a gateway of it, and returns a client of
// the gateway. The options are those of the gateway.
func serveHops(
	t testing.TB, ticker tickerv1.TickerServiceServer, opts ...grpc.ServerOption,
) (exchange, gateway *server, c tickerv1.TickerServiceClient) {
	exchange = serveTicker(t, ticker)
	gateway = serveTicker(t, NewGateway(exchange.client(t)), opts...)
	return exchange, gateway, gateway.client(t)
}

// waitFirst is an interceptor that makes a server wait for a second before
// it handles a call.
func waitFirst(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	time.Sleep(time.Second)
	return handler(srv, stream)
}

// ends holds ends until a test reads them.
type ends chan end

// An end records how a handler or a call ended.
type end struct {
	at       time.Duration // since the start of the bubble
	err      error         // which the handler or the call returned
	context  string        // of the handler when it returned, by describeContext
	timeLeft time.Duration // until the deadline when the handler began; 0 without one
}

// next returns an end, which must have happened already.
func (e ends) next(t testing.TB) end {
	t.Helper()
	require.NotEmpty(t, e, "no handler or call has ended")
	return <-e
}

// record is a [grpc.StreamServerInterceptor].
func (e ends) record(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, timeLeft := stream.Context(), time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		timeLeft = time.Until(deadline)
	}
	err := handler(srv, stream)
	e.add(end{now(), err, describeContext(ctx), timeLeft})
	return err
}

// recordCall is an argument for [grpc.OnFinish].
func (e ends) recordCall(err error) { e.add(end{at: now(), err: err}) }

func (e ends) add(end end) {
	select {
	case e <- end:
	default: // e is full: a test with so many calls does not read them
	}
}

// describeContext returns "-" if ctx is alive, and otherwise its error, with
// its cause if that says more.
func describeContext(ctx context.Context) string {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil:
		return "-"
	case errors.Is(cause, err):
		return err.Error()
	default:
		return fmt.Sprintf("%v, because %v", err, cause)
	}
}

// now returns the time since the start of the bubble.
func now() time.Duration {
	return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
}

// open calls Watch for all ticks.
func open(t testing.TB, ctx context.Context, c tickerv1.TickerServiceClient) clientStream {
	t.Helper()
	stream, err := c.Watch(ctx, &tickerv1.WatchRequest{})
	require.NoError(t, err)
	return stream
}

// recvOnTime receives n ticks, each at the moment at which the exchange
// publishes it.
func recvOnTime(t testing.TB, stream clientStream, n int) {
	t.Helper()
	for range n {
		tick, err := stream.Recv()
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), tick.GetTimestamp().AsTime(), 0)
	}
}

// requireRest receives all ticks from tick 1 on, until the stream ends with
// an error, and returns the number of ticks.
func requireRest(t testing.TB, stream clientStream, code codes.Code, message string) (n uint64) {
	t.Helper()
	for {
		tick, err := stream.Recv()
		if err != nil {
			require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, message)
			return n
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

// A stub is a server whose Watch is a function of the test.
type stub struct {
	tickerv1.UnimplementedTickerServiceServer
	OnWatch func(*tickerv1.WatchRequest, serverStream) error
}

func (s stub) Watch(req *tickerv1.WatchRequest, stream serverStream) error {
	return s.OnWatch(req, stream)
}

// silentAfter returns a stub that sends n ticks, one per second, and then
// nothing more until the call is canceled.
func silentAfter(n int) stub {
	return limit(n, new(Exchange), func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

var errFailed = status.Error(codes.Unavailable, "it failed")

// failAfter returns a stub that sends n ticks of x in each call, and then
// returns err.
func failAfter(n int, err error, x *Exchange) stub {
	return limit(n, x, func(context.Context) error { return err })
}

// limit returns a stub that sends n ticks of x in each call. Instead of the
// next tick, it returns what end returns.
func limit(n int, x *Exchange, end func(context.Context) error) stub {
	return stub{OnWatch: func(req *tickerv1.WatchRequest, stream serverStream) error {
		err := x.Watch(req, &limited{stream, n})
		if errors.Is(err, errLimit) {
			return end(stream.Context())
		}
		return err
	}}
}

var errLimit = errors.New("no more ticks can be sent")

// A limited stream sends some ticks, and then fails with errLimit.
type limited struct {
	serverStream
	left int
}

func (l *limited) Send(tick *tickerv1.Tick) error {
	if l.left == 0 {
		return errLimit
	}
	l.left--
	return l.serverStream.Send(tick)
}

// largeSymbol makes ticks of 4 KiB, so that 16 of them fill a flow-control
// window.
var largeSymbol = []string{strings.Repeat("X", 4<<10)}
