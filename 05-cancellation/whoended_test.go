package cancellation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// A way is one way to end a stream half a second after its first tick.
type way struct {
	name    string
	prepare func(*stage)
	end     func(*stage)
	seen    seen
}

// A stage is what a way can change and end.
type stage struct {
	*testing.T
	setup
	*hops
	x        *Exchange
	g        *Gateway
	lan, wan badNet        // to the gateway, and from there to the exchange
	deadline time.Duration // of the client; 0: a day
	silence  time.Duration // that the client bears; 0: a day
	pause    time.Duration // of the client before it reads on
	own      *grpc.ClientConn
	cancel   context.CancelCauseFunc
}

// seen is what each side sees, and a row of the table in README.md. Where
// "this or that" is written, it depends on who is first in the same instant.
type seen struct {
	recv     string // the error of the client's Recv
	client   string // that of its context, and the cause if it differs
	gateway  string // that of the context of the gateway's handler
	exchange string // that of the context of the exchange's handler
}

const (
	open     = "-" // the handler ended, or Recv did, but not its context
	canceled = "context canceled"
	expired  = "context deadline exceeded"
)

func TestWhoEndedAStreamAndWhatEachSideSees(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := w.run(t)
				requireOneOf(t, w.seen.recv, got.recv, "the client's Recv")
				requireOneOf(t, w.seen.client, got.client, "the client's context")
				requireOneOf(t, w.seen.gateway, got.gateway, "the gateway handler's context")
				requireOneOf(t, w.seen.exchange, got.exchange, "the exchange handler's context")
			})
		})
	}
}

func requireOneOf(t *testing.T, want, got, what string) {
	t.Helper()
	require.Contains(t, strings.Split(want, " or "), got, what)
}

// run ends a stream in that way and returns what is seen.
func (w way) run(t *testing.T) seen {
	r := &stage{T: t, x: NewExchange(1), deadline: 24 * time.Hour, silence: 24 * time.Hour}
	r.setup.exchange = r.x
	r.setup.gateway = r.newGateway
	r.upstreamNet = r.wan.between
	if w.prepare != nil {
		w.prepare(r)
	}
	r.hops = r.start(t)
	own, err := r.gatewayServer.NewClient(append(r.clientOptions, network(r.gatewayServer, r.lan.between))...)
	require.NoError(t, err)
	defer own.Close() // one of the ways does so too
	r.own = own

	timeout, stop := context.WithTimeout(t.Context(), r.deadline)
	defer stop()
	ctx, cancel := context.WithCancelCause(timeout)
	r.cancel = cancel
	stream := watch(t, ctx, tickerv1.NewTickerServiceClient(own))
	if w.end != nil {
		time.AfterFunc(1500*time.Millisecond, func() { w.end(r) })
	}
	err = r.readToTheEnd(stream)
	time.Sleep(time.Hour) // for servers that notice later
	return seen{
		recv:     describe(err),
		client:   contextError(ctx.Err(), context.Cause(ctx)),
		gateway:  r.hops.gateway.next(t).context(t),
		exchange: r.hops.exchange.next(t).context(t),
	}
}

func (r *stage) newGateway(upstream tickerv1.TickerServiceClient) tickerv1.TickerServiceServer {
	r.g = NewGateway(upstream)
	return r.g
}

func (r *stage) readToTheEnd(stream grpc.ServerStreamingClient[tickerv1.Tick]) error {
	_, err := stream.Recv()
	require.NoError(r, err, "the first tick")
	time.Sleep(r.pause)
	for err == nil {
		_, err = RecvWithin(r.silence, r.cancel, stream)
	}
	return err
}

func describe(err error) string {
	if errors.Is(err, io.EOF) {
		return "io.EOF"
	}
	return fmt.Sprintf("`%s`: %s", status.Code(err), status.Convert(err).Message())
}

// context describes how the context of a handler had ended. No cause ever
// comes over the wire.
func (e ending) context(t *testing.T) string {
	require.Equal(t, e.ctx, e.cause)
	return contextError(e.ctx, e.cause)
}

func contextError(err, cause error) string {
	switch {
	case err == nil:
		return open
	case errors.Is(cause, err):
		return err.Error()
	case status.Code(cause) != codes.Unknown:
		return fmt.Sprintf("%v, because %s", err, describe(cause))
	default:
		return fmt.Sprintf("%v, because %v", err, cause)
	}
}

func TestTheTableInTheLessonIsThatOfTheTest(t *testing.T) {
	lesson, err := os.ReadFile("README.md")
	require.NoError(t, err)
	const line = "|---|---|---|---|---|\n" // the only table of five columns
	above, table, ok := strings.Cut(string(lesson), line)
	require.True(t, ok)
	_, below, ok := strings.Cut(table, "\n\n")
	require.True(t, ok)

	want := above + line
	for _, w := range ways {
		want += fmt.Sprintf("| %s | %s | %s | %s | %s |\n",
			w.name, w.seen.recv, w.seen.client, w.seen.gateway, w.seen.exchange)
	}
	want += "\n" + below
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(lesson), "go test ./05-cancellation -update rewrites it")
}
