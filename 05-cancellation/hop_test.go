package cancellation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// A hop is a server that can be restarted, and a client's connection to it
// over a network that fails. Both run with the options of the commands.
type hop struct {
	net    badNet
	client tickerv1.TickerServiceClient
	serve  func() *embedded.Server

	mu     sync.Mutex
	server *embedded.Server // nil: it is down
}

// startHop starts a server of what ticker returns, and so at each restart.
func startHop(t *testing.T, ticker func() tickerv1.TickerServiceServer) *hop {
	h := &hop{serve: func() *embedded.Server {
		return embedded.Serve(func(s grpc.ServiceRegistrar) {
			tickerv1.RegisterTickerServiceServer(s, ticker())
		}, append(ServerOptions(), grpc.ReadBufferSize(1<<10), grpc.WriteBufferSize(1<<10))...)
	}}
	h.start()
	t.Cleanup(h.stop)

	conn, err := grpc.NewClient("passthrough:///hop", append(DialOptions(),
		grpc.WithReadBufferSize(1<<10), grpc.WithWriteBufferSize(1<<10), // a thousand connections cost less
		grpc.WithContextDialer(h.net.between(h.dial)),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	h.client = tickerv1.NewTickerServiceClient(conn)
	return h
}

func (h *hop) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server = h.serve()
}

func (h *hop) stop() {
	h.mu.Lock()
	s := h.server
	h.server = nil
	h.mu.Unlock()
	_ = s.Close()
}

func (h *hop) dial(ctx context.Context, addr string) (net.Conn, error) {
	h.mu.Lock()
	s := h.server
	h.mu.Unlock()
	if s == nil {
		return nil, errors.New("connection refused: the server is down")
	}
	return s.DialContext(ctx, addr)
}

// twoHops returns the hop to a gateway, and the one from it to an exchange.
func twoHops(t *testing.T, exchange func() *Exchange) [2]*hop {
	upstream := startHop(t, func() tickerv1.TickerServiceServer { return exchange() })
	gateway := startHop(t, func() tickerv1.TickerServiceServer { return NewGateway(upstream.client) })
	return [2]*hop{gateway, upstream}
}

// A fault happens to a hop, for as long as random says.
type fault struct {
	name    string
	inflict func(h *hop, random *rand.Rand)
}

var faults = []fault{
	{"drop", func(h *hop, _ *rand.Rand) {
		if c, ok := h.net.conn(); ok {
			c.drop()
		}
	}},
	{"cut in mid-frame", func(h *hop, _ *rand.Rand) {
		if c, ok := h.net.conn(); ok {
			c.cut.Store(true)
		}
	}},
	{"delay", func(h *hop, random *rand.Rand) {
		if c, ok := h.net.conn(); ok {
			c.delay.Store(random.Int64N(int64(15 * time.Second)))
		}
	}},
	{"half-open", func(h *hop, _ *rand.Rand) {
		if c, ok := h.net.conn(); ok {
			c.silence()
		}
	}},
	{"refuse", func(h *hop, random *rand.Rand) { h.net.refuseNext(1 + random.IntN(3)) }},
	{"restart", func(h *hop, random *rand.Rand) {
		h.stop()
		time.Sleep(time.Duration(random.Int64N(int64(10 * time.Second))))
		h.start()
		h.net.count("restart")
	}},
}
