package cancellation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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

// A termination is one way in which a call can end, and a row of the table in
// README.md.
type termination struct {
	name string // who ends the call, and how

	// The call. Fields that are not set have no effect.
	exchange tickerv1.TickerServiceServer // instead of an Exchange
	server   []grpc.ServerOption          // of the gateway
	client   []grpc.DialOption
	deadline time.Duration
	idle     time.Duration // the client's idle timeout
	pause    time.Duration // of the client after the first tick
	end      func(*call)   // is called half a second after the first tick

	// What each side observes. Where a cell has two values, the result
	// depends on which of two events at the same instant comes first.
	recv            cell // the error of the client's Recv
	clientContext   cell // its error, and its cause if that says more
	gatewayContext  cell // of the handler, when it returns
	exchangeContext cell // of the handler, when it returns
}

type cell []string

const (
	alive    = "-" // the context, when Recv or the handler returned
	canceled = "context canceled"
	expired  = "context deadline exceeded"
)

// A call is what the function of a termination can end.
type call struct {
	cancel                        context.CancelCauseFunc
	conn                          *grpc.ClientConn
	gateway                       *Gateway
	exchange                      *Exchange
	gatewayServer, exchangeServer *server
}

// terminations returns new values for each test, because a channel of one
// bubble cannot be used in another.
func terminations() []termination {
	return []termination{
		{
			name: "the client cancels",
			end:  func(c *call) { c.cancel(errors.New("the user closed the tab")) },
			recv: cell{"`Canceled`: context canceled"}, clientContext: cell{canceled + ", because the user closed the tab"},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name:     "the client's deadline passes",
			deadline: 1500 * time.Millisecond,
			recv: cell{"`DeadlineExceeded`: context deadline exceeded",
				"`DeadlineExceeded`: stream terminated by RST_STREAM with error code: CANCEL"}, clientContext: cell{expired},
			gatewayContext: cell{expired, canceled, alive}, exchangeContext: cell{expired, canceled},
		},
		{
			name:     "the client's idle timeout expires",
			exchange: silentAfter(1), idle: time.Minute,
			recv: cell{"`DeadlineExceeded`: the server sent nothing for 1m0s"}, clientContext: cell{canceled},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name: "the client closes its connection",
			end:  func(c *call) { _ = c.conn.Close() },
			recv: cell{"`Canceled`: grpc: the client connection is closing"}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name: "the client refuses a message that is too large",
			exchange: afterFirstTick(func(stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
				_ = stream.Send((&Exchange{Symbols: largeSymbol}).Tick(2))
				<-stream.Context().Done()
				return stream.Context().Err()
			}),
			client:        []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100))},
			recv:          cell{"`ResourceExhausted`: grpc: received message larger than max (4112 vs. 100)"},
			clientContext: cell{alive}, gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name: "the connection is closed",
			end:  func(c *call) { c.gatewayServer.net.Conn().Drop() },
			recv: cell{"`Unavailable`: error reading from server: EOF"}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name:     "the connection becomes half-open",
			exchange: silentAfter(1), client: DialOptions(), server: ServerOptions(),
			end:  func(c *call) { c.gatewayServer.net.Conn().HalfOpen() },
			recv: cell{"`Unavailable`: keepalive ping failed to receive ACK within timeout"}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name: "the gateway drains",
			end:  func(c *call) { c.gateway.Drain() },
			recv: cell{"`Unavailable`: shutting down; resume after your last tick"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{canceled},
		},
		{
			name: "the gateway stops",
			end:  func(c *call) { c.gatewayServer.running.Load().Stop() },
			recv: cell{"`Unavailable`: error reading from server: EOF"}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name:     "the gateway's send timeout expires",
			exchange: &Exchange{Symbols: largeSymbol, SendTimeout: time.Hour}, pause: 10 * time.Minute,
			recv: cell{"`Aborted`: the client read nothing for 1m0s"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{canceled},
		},
		{
			name:     "the gateway's connection is too old",
			exchange: silentAfter(1),
			server: []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionAge: time.Minute, MaxConnectionAgeGrace: time.Minute,
			})},
			recv: cell{"`Unavailable`: closing transport due to: connection error: desc = \"error reading from server: EOF\", " +
				"received prior goaway: code: NO_ERROR, debug data: \"max_age\""}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name:     "the gateway receives too many pings",
			exchange: silentAfter(1), client: DialOptions(),
			recv: cell{"`Unavailable`: closing transport due to: connection error: desc = \"error reading from server: EOF\", " +
				"received prior goaway: code: ENHANCE_YOUR_CALM, debug data: \"too_many_pings\""}, clientContext: cell{alive},
			gatewayContext: cell{canceled}, exchangeContext: cell{canceled},
		},
		{
			name: "the gateway's connection to the exchange is closed",
			end:  func(c *call) { c.exchangeServer.net.Conn().Drop() },
			recv: cell{"`Unavailable`: error reading from server: EOF"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{canceled},
		},
		{
			name: "the exchange drains",
			end:  func(c *call) { c.exchange.Drain() },
			recv: cell{"`Unavailable`: shutting down; resume after 1"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{alive},
		},
		{
			name: "the exchange stops",
			end:  func(c *call) { c.exchangeServer.running.Load().Stop() },
			recv: cell{"`Unavailable`: error reading from server: EOF"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{canceled},
		},
		{
			name:     "the exchange returns a status",
			exchange: afterFirstTick(returns(status.Error(codes.OutOfRange, "you are too slow"))),
			recv:     cell{"`OutOfRange`: you are too slow"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{alive},
		},
		{
			name:     "the exchange returns a plain error",
			exchange: afterFirstTick(returns(errors.New("disk full"))),
			recv:     cell{"`Unknown`: disk full"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{alive},
		},
		{
			name:     "the exchange returns the error of a deadline of its own",
			exchange: afterFirstTick(returns(context.DeadlineExceeded)),
			recv:     cell{"`DeadlineExceeded`: context deadline exceeded"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{alive},
		},
		{
			name:     "the exchange returns nil",
			exchange: afterFirstTick(returns(nil)),
			recv:     cell{"io.EOF"}, clientContext: cell{alive},
			gatewayContext: cell{alive}, exchangeContext: cell{alive},
		},
	}
}

// afterFirstTick returns a stub that sends a tick after a second, and then
// calls f.
func afterFirstTick(f func(grpc.ServerStreamingServer[tickerv1.Tick]) error) stub {
	return stub{OnWatch: func(_ *tickerv1.WatchRequest, stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
		time.Sleep(time.Second)
		if err := stream.Send(new(Exchange).Tick(1)); err != nil {
			return err
		}
		return f(stream)
	}}
}

func returns(err error) func(grpc.ServerStreamingServer[tickerv1.Tick]) error {
	return func(grpc.ServerStreamingServer[tickerv1.Tick]) error { return err }
}

func TestWhoEnded_EachSideObserves(t *testing.T) {
	for _, tt := range terminations() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &call{exchange: new(Exchange)}
				if tt.exchange == nil {
					tt.exchange = c.exchange
				}
				c.exchangeServer = serveTicker(t, tt.exchange)
				c.gateway = NewGateway(c.exchangeServer.client(t))
				c.gatewayServer = serveTicker(t, c.gateway, tt.server...)
				c.conn = c.gatewayServer.connect(t, tt.client...)
				const day = 24 * time.Hour
				timeout, stop := context.WithTimeout(t.Context(), cmp.Or(tt.deadline, day))
				defer stop()
				ctx, cancel := context.WithCancelCause(timeout)
				c.cancel = cancel

				stream := open(t, ctx, tickerv1.NewTickerServiceClient(c.conn))
				if tt.end != nil {
					time.AfterFunc(1500*time.Millisecond, func() { tt.end(c) })
				}
				_, err := stream.Recv()
				require.NoError(t, err, "the first tick")
				time.Sleep(tt.pause)
				for err == nil {
					_, err = recvWithin(cmp.Or(tt.idle, day), stream, func() { cancel(nil) })
				}
				time.Sleep(time.Hour) // until both servers have noticed

				require.Contains(t, tt.recv, describe(err), "the client's Recv")
				clientContext := describeContext(ctx.Err(), context.Cause(ctx))
				require.Contains(t, tt.clientContext, clientContext, "the client's context")
				end := c.gatewayServer.handlers.next(t)
				require.Contains(t, tt.gatewayContext, describeContext(end.ctx, end.cause), "the gateway handler's context")
				end = c.exchangeServer.handlers.next(t)
				require.Contains(t, tt.exchangeContext, describeContext(end.ctx, end.cause), "the exchange handler's context")
			})
		})
	}
}

func describe(err error) string {
	if errors.Is(err, io.EOF) {
		return "io.EOF"
	}
	return fmt.Sprintf("`%s`: %s", status.Code(err), status.Convert(err).Message())
}

func describeContext(err, cause error) string {
	switch {
	case err == nil:
		return alive
	case errors.Is(cause, err):
		return err.Error()
	default:
		return fmt.Sprintf("%v, because %v", err, cause)
	}
}

func TestWhoEnded_TableInLesson(t *testing.T) {
	table := "| who, and how | the client's `Recv` returns | the client's context " +
		"| the gateway handler's | the exchange handler's |\n|---|---|---|---|---|\n"
	for _, tt := range terminations() {
		table += "| " + tt.name
		for _, c := range []cell{tt.recv, tt.clientContext, tt.gatewayContext, tt.exchangeContext} {
			table += " | " + strings.Join(c, " or ")
		}
		table += " |\n"
	}
	golden.Section(t, "README.md", "who ended it", table)
}
