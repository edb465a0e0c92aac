package cancellation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/golden"
)

// A termination is one way in which a call can end, and a row of two tables in
// docs/hops.md.
type termination struct {
	name string // who ends the call, and how

	// The call. Fields that are not set have no effect.
	ticker   tickerv1.TickerServiceServer // instead of an Exchange
	server   []grpc.ServerOption          // of the gateway
	client   []grpc.DialOption
	deadline time.Duration
	idle     time.Duration // the client's idle timeout
	pause    time.Duration // of the client after the first tick
	end      func(*call)   // is called half a second after the first tick

	// The cells of the row. "A or B" means that the result depends on which
	// event of the same instant comes first.
	recv     string // the error of the client's Recv
	contexts string // of the client and of both handlers, by describeContext
}

// A call holds what the end function of a termination can use.
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
		{name: "the client cancels",
			end:      func(c *call) { c.cancel(errors.New("the user closed the tab")) },
			recv:     "`Canceled`: context canceled",
			contexts: "context canceled, because the user closed the tab | context canceled | context canceled"},
		{name: "the client's deadline passes", deadline: 1500 * time.Millisecond,
			recv: "`DeadlineExceeded`: context deadline exceeded or " +
				"`DeadlineExceeded`: stream terminated by RST_STREAM with error code: CANCEL",
			contexts: "context deadline exceeded or - | context deadline exceeded or context canceled or - | " +
				"context deadline exceeded or context canceled"},
		{name: "the client's idle timeout expires", ticker: silentAfter(1), idle: time.Minute,
			recv:     "`DeadlineExceeded`: the server sent nothing for 1m0s",
			contexts: "context canceled | context canceled | context canceled"},
		{name: "the client closes its connection", end: func(c *call) { _ = c.conn.Close() },
			recv:     "`Canceled`: grpc: the client connection is closing",
			contexts: "- | context canceled | context canceled"},
		{name: "the client refuses a message that is too large",
			ticker:   &Exchange{Symbols: []string{largeSymbol[0], "ACME"}}, // tick 2
			client:   []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100))},
			recv:     "`ResourceExhausted`: grpc: received message larger than max (4112 vs. 100)",
			contexts: "- | context canceled | context canceled"},
		{name: "the connection is closed", end: func(c *call) { c.gatewayServer.net.Conn().Drop() },
			recv:     "`Unavailable`: error reading from server: EOF",
			contexts: "- | context canceled | context canceled"},
		{name: "the connection becomes half-open",
			ticker: silentAfter(1), client: DialOptions(), server: ServerOptions(),
			end:      func(c *call) { c.gatewayServer.net.Conn().HalfOpen() },
			recv:     "`Unavailable`: keepalive ping failed to receive ACK within timeout",
			contexts: "- | context canceled | context canceled"},
		{name: "the gateway drains", end: func(c *call) { c.gateway.Drain() },
			recv:     "`Unavailable`: shutting down; resume after your last tick",
			contexts: "- | - | context canceled"},
		{name: "the gateway stops", end: func(c *call) { c.gatewayServer.running.Load().Stop() },
			recv:     "`Unavailable`: error reading from server: EOF",
			contexts: "- | context canceled | context canceled"},
		{name: "the gateway's send timeout expires",
			ticker: &Exchange{Symbols: largeSymbol, SendTimeout: time.Hour}, pause: 10 * time.Minute,
			recv:     "`Aborted`: the client read nothing for 1m0s",
			contexts: "- | - | context canceled"},
		{name: "the gateway's connection is too old",
			ticker: silentAfter(1), server: []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionAge: time.Minute, MaxConnectionAgeGrace: time.Minute,
			})},
			recv: "`Unavailable`: closing transport due to: connection error: desc = " +
				`"error reading from server: EOF", received prior goaway: code: NO_ERROR, debug data: "max_age"`,
			contexts: "- | context canceled | context canceled"},
		{name: "the gateway receives too many pings", ticker: silentAfter(1), client: DialOptions(),
			recv: "`Unavailable`: closing transport due to: connection error: desc = " +
				`"error reading from server: EOF", received prior goaway: ` +
				`code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`,
			contexts: "- | context canceled | context canceled"},
		{name: "the gateway's connection to the exchange is closed",
			end:      func(c *call) { c.exchangeServer.net.Conn().Drop() },
			recv:     "`Unavailable`: error reading from server: EOF",
			contexts: "- | - | context canceled"},
		{name: "the exchange drains", end: func(c *call) { c.exchange.Drain() },
			recv:     "`Unavailable`: shutting down; resume after 1",
			contexts: "- | - | -"},
		{name: "the exchange stops", end: func(c *call) { c.exchangeServer.running.Load().Stop() },
			recv:     "`Unavailable`: error reading from server: EOF",
			contexts: "- | - | context canceled"},
		{name: "the exchange returns a status",
			ticker:   failAfter(1, status.Error(codes.OutOfRange, "you are too slow"), new(Exchange)),
			recv:     "`OutOfRange`: you are too slow",
			contexts: "- | - | -"},
		{name: "the exchange returns a plain error", ticker: failAfter(1, errors.New("disk full"), new(Exchange)),
			recv:     "`Unknown`: disk full",
			contexts: "- | - | -"},
		{name: "the exchange returns the error of a deadline of its own",
			ticker:   failAfter(1, context.DeadlineExceeded, new(Exchange)),
			recv:     "`DeadlineExceeded`: context deadline exceeded",
			contexts: "- | - | -"},
		{name: "the exchange returns nil", ticker: failAfter(1, nil, new(Exchange)),
			recv:     "io.EOF",
			contexts: "- | - | -"},
	}
}

func TestWhoEnded_EachSideObserves(t *testing.T) {
	for _, tt := range terminations() {
		subtest(t, tt.name, func(t *testing.T) {
			c := &call{exchange: new(Exchange)}
			if tt.ticker == nil {
				tt.ticker = c.exchange
			}
			c.exchangeServer = serveTicker(t, tt.ticker)
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
			at, _ := ctx.Deadline()
			require.Equal(t, tt.deadline != 0, !at.After(time.Now()), "the client's own deadline has passed")
			contexts := []string{describeContext(ctx)}
			time.Sleep(time.Hour) // until both servers have noticed
			for _, s := range []*server{c.gatewayServer, c.exchangeServer} {
				contexts = append(contexts, s.handlers.next(t).context)
			}

			require.Contains(t, strings.Split(tt.recv, " or "), describe(err), "the client's Recv")
			for i, want := range strings.Split(tt.contexts, " | ") {
				require.Contains(t, strings.Split(want, " or "), contexts[i], "in %q", contexts)
			}
		})
	}
}

// The error of a call is a status, on either side.
func TestStatus_IsNotContextError(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		context error
		code    codes.Code
	}{
		{"canceled", time.Hour, context.Canceled, codes.Canceled},
		{"deadline", time.Second, context.DeadlineExceeded, codes.DeadlineExceeded},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			handler := make(chan error, 1)
			c := serveTicker(t, stub{OnWatch: func(_ *tickerv1.WatchRequest, stream serverStream) error {
				<-stream.Context().Done()
				time.Sleep(time.Second) // at the deadline itself, Send may still succeed
				handler <- stream.Send(new(tickerv1.Tick))
				return nil
			}}).client(t)
			ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
			defer cancel()
			time.AfterFunc(time.Minute, cancel)
			tick, recv := open(t, ctx, c).Recv()
			require.Nil(t, tick, "a message beside an error")
			require.Zero(t, tick.GetSequence(), "a getter of nil")
			require.Panics(t, func() { _ = tick.Sequence }, "a field of nil")
			_, follow := take(t, Follow(ctx, c, new(tickerv1.WatchRequest), FollowOptions{}), 1)

			for _, err := range []error{recv, follow} {
				require.NotErrorIs(t, err, tt.context)
				require.Equal(t, tt.code.String(), status.Code(err).String(), "got %v", err)
			}
			require.ErrorIs(t, ctx.Err(), tt.context)
			require.NotErrorIs(t, <-handler, tt.context, "of Send in the handler")
		})
	}
}

func describe(err error) string {
	if errors.Is(err, io.EOF) {
		return "io.EOF"
	}
	return fmt.Sprintf("`%s`: %s", status.Code(err), status.Convert(err).Message())
}

func TestWhoEnded_TablesOfPage(t *testing.T) {
	recv := "| who, and how | the client's `Recv` returns |\n|---|---|\n"
	contexts := "| who, and how | the client's context | the gateway handler's | the exchange handler's |\n|---|---|---|---|\n"
	for _, tt := range terminations() {
		recv += fmt.Sprintf("| %s | %s |\n", tt.name, tt.recv)
		contexts += fmt.Sprintf("| %s | %s |\n", tt.name, tt.contexts)
	}
	golden.Section(t, "../docs/hops.md", "what Recv returns", recv)
	golden.Section(t, "../docs/hops.md", "what the contexts say", contexts)
}
