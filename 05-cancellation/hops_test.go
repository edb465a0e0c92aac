package cancellation

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/bufnet"
)

// A setup is what differs from the two hops that the commands run: a client
// of a gateway of an exchange that ticks every second.
type setup struct {
	exchange        tickerv1.TickerServiceServer
	gateway         func(tickerv1.TickerServiceClient) tickerv1.TickerServiceServer
	exchangeOptions []grpc.ServerOption
	gatewayOptions  []grpc.ServerOption
	upstreamOptions []grpc.DialOption
	clientOptions   []grpc.DialOption
	upstreamNet     func(dialFunc) dialFunc // replaces the network to the exchange
	clientNet       func(dialFunc) dialFunc // replaces the network to the gateway
}

type dialFunc = func(context.Context, string) (net.Conn, error)

// hops is what a setup becomes. It records what ends: the gateway's handler,
// the gateway's call to the exchange, and the exchange's handler.
type hops struct {
	conn     *grpc.ClientConn // from the client to the gateway
	client   tickerv1.TickerServiceClient
	upstream *grpc.ClientConn // from the gateway to the exchange

	gatewayServer, exchangeServer bufnet.Server
	gateway, call, exchange       ends
}

func (s setup) start(t *testing.T) *hops {
	h := &hops{gateway: make(ends, 100), call: make(ends, 100), exchange: make(ends, 100)}
	if s.exchange == nil {
		s.exchange = NewExchange(1)
	}
	if s.gateway == nil {
		s.gateway = func(c tickerv1.TickerServiceClient) tickerv1.TickerServiceServer { return NewGateway(c) }
	}
	h.exchangeServer = serveTicker(t, s.exchange, h.exchange, s.exchangeOptions)
	h.upstream = h.exchangeServer.Dial(t, append(s.upstreamOptions, network(h.exchangeServer, s.upstreamNet),
		grpc.WithDefaultCallOptions(grpc.OnFinish(h.call.called)))...)
	h.gatewayServer = serveTicker(t, s.gateway(tickerv1.NewTickerServiceClient(h.upstream)), h.gateway, s.gatewayOptions)
	h.conn = h.gatewayServer.Dial(t, append(s.clientOptions, network(h.gatewayServer, s.clientNet))...)
	h.client = tickerv1.NewTickerServiceClient(h.conn)
	return h
}

func serveTicker(t *testing.T, ticker tickerv1.TickerServiceServer, e ends, opts []grpc.ServerOption) bufnet.Server {
	return bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
		tickerv1.RegisterTickerServiceServer(s, ticker)
	}, append(opts, grpc.ChainStreamInterceptor(e.handler))...)
}

func network(s bufnet.Server, replace func(dialFunc) dialFunc) grpc.DialOption {
	if replace == nil {
		return grpc.EmptyDialOption{}
	}
	return grpc.WithContextDialer(replace(s.DialContext))
}

// ends holds the endings that no test has looked at.
type ends chan ending

// An ending is the end of a handler or of a call.
type ending struct {
	at     time.Duration // since the start of the bubble
	err    error         // what the handler or the call returned
	ctx    error         // the error of the handler's context just before
	cause  error         // and its cause
	budget time.Duration // until the deadline when the handler began; 0: none
}

// next returns an ending, which must have happened already.
func (e ends) next(t *testing.T) ending {
	t.Helper()
	select {
	case end := <-e:
		return end
	default:
		require.FailNow(t, "it has not ended")
		return ending{}
	}
}

// handler is an interceptor of a server's streams.
func (e ends) handler(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, budget := stream.Context(), time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		budget = time.Until(deadline)
	}
	err := handler(srv, stream)
	e <- ending{now(), err, ctx.Err(), context.Cause(ctx), budget}
	return err
}

func (e ends) called(err error) { e <- ending{at: now(), err: err} }

// now is the time since the start of the bubble.
func now() time.Duration {
	return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
}

// recv receives n ticks, and checks that each one comes in the moment that
// the exchange publishes it.
func recv(t *testing.T, stream grpc.ServerStreamingClient[tickerv1.Tick], n int) {
	t.Helper()
	for range n {
		tick, err := stream.Recv()
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), tick.GetTimestamp().AsTime(), 0)
	}
}

// watch opens a stream of all ticks.
func watch(t *testing.T, ctx context.Context, c tickerv1.TickerServiceClient) grpc.ServerStreamingClient[tickerv1.Tick] {
	t.Helper()
	stream, err := c.Watch(ctx, &tickerv1.WatchRequest{})
	require.NoError(t, err)
	return stream
}

// A script is an exchange that does what the test says.
type script struct {
	tickerv1.UnimplementedTickerServiceServer
	watch func(grpc.ServerStreamingServer[tickerv1.Tick]) error
}

func (s script) Watch(_ *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
	return s.watch(stream)
}

// fallsSilent sends n ticks, one a second, and then nothing more.
func fallsSilent(n uint64) script {
	return script{watch: func(stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
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

// A failing exchange ends each stream after some ticks.
type failing struct {
	*Exchange
	after int
	code  codes.Code
}

var errEnough = errors.New("enough ticks")

func (f failing) Watch(req *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
	err := f.Exchange.Watch(req, &countdown{stream, f.after})
	if errors.Is(err, errEnough) {
		return status.Error(f.code, "it failed")
	}
	return err
}

type countdown struct {
	grpc.ServerStreamingServer[tickerv1.Tick]
	left int
}

func (c *countdown) Send(tick *tickerv1.Tick) error {
	if c.left == 0 {
		return errEnough
	}
	c.left--
	return c.ServerStreamingServer.Send(tick)
}

// bulky is an exchange whose ticks have 4 KiB, so that 16 of them fill a
// flow-control window.
func bulky() *Exchange {
	x := NewExchange(1)
	x.Symbols = []string{strings.Repeat("X", 4<<10)}
	return x
}

// checkEnd reads what is left of a stream from tick 1 on, checks that it
// has no gap and ends as it should, and returns the last tick.
func checkEnd(t *testing.T, stream grpc.ServerStreamingClient[tickerv1.Tick], code codes.Code, message string) uint64 {
	t.Helper()
	for n := uint64(1); ; n++ {
		tick, err := stream.Recv()
		if err != nil {
			require.Equal(t, code, status.Code(err), "got %v", err)
			require.ErrorContains(t, err, message)
			require.Greater(t, n, uint64(1), "ticks")
			return n - 1
		}
		require.Equal(t, n, tick.GetSequence())
	}
}
