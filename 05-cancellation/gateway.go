package cancellation

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// A Gateway offers the ticks of another server, its upstream. It holds
// nothing: one stream down is one stream up. Make one with [NewGateway].
type Gateway struct {
	tickerv1.UnimplementedTickerServiceServer

	SendLimit time.Duration // how long one Send may wait for a watcher

	upstream tickerv1.TickerServiceClient
	drain    context.Context
	endWith  context.CancelCauseFunc
}

// NewGateway returns a gateway to upstream. A watcher that does not read
// for a minute is sent away.
func NewGateway(upstream tickerv1.TickerServiceClient) *Gateway {
	g := &Gateway{SendLimit: time.Minute, upstream: upstream}
	g.drain, g.endWith = context.WithCancelCause(context.Background())
	return g
}

// Watch relays the upstream's ticks, and its status when it ends.
//
// Aborted: one Send took longer than SendLimit. Unavailable: the gateway is
// shutting down, or the upstream cannot be reached.
func (g *Gateway) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	// The watcher's context, passed on: its end and its deadline are the
	// upstream's too. It also ends when the gateway drains, and when
	// this function returns.
	ctx, cancel := context.WithCancelCause(down.Context())
	defer cancel(nil)
	defer context.AfterFunc(g.drain, func() { cancel(context.Cause(g.drain)) })()

	up, err := g.upstream.Watch(ctx, req)
	if err != nil {
		return g.why(err)
	}
	for {
		tick, err := up.Recv()
		if err != nil {
			return g.why(err)
		}
		if err := SendWithin(g.SendLimit, down, tick); err != nil {
			return err
		}
	}
}

// why returns the status that tells the watcher why the upstream ended.
func (g *Gateway) why(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case status.Code(err) == codes.Canceled && g.drain.Err() != nil:
		return context.Cause(g.drain)
	default:
		return err
	}
}

// Drain ends every Watch with Unavailable. It does not block, and may be
// called again.
func (g *Gateway) Drain() {
	g.endWith(status.Error(codes.Unavailable, "the gateway is shutting down"))
}
