package cancellation

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// MaxHops is the maximum number of gateways that a call may cross. It ends
// the loop of a gateway that is its own upstream.
const MaxHops = 8

// OpenTimeout is how long a gateway waits at most until its upstream is
// connected and has room for another call. A failure to connect may end the
// wait earlier. Without OpenTimeout, a client of a full upstream could
// wait forever.
const OpenTimeout = 10 * time.Second

var errNoRoom = status.Errorf(codes.Unavailable,
	"the upstream accepted no call within %v; watch again later", OpenTimeout)

// hopsKey is the metadata key of the number of gateways that a call has
// crossed.
const hopsKey = "ticker-hops"

// A Gateway relays the ticks of another server, its upstream. For each call
// of Watch it makes at most one call to the upstream. It stores no ticks. Make
// one with [NewGateway]. Its methods may be called concurrently.
type Gateway struct {
	tickerv1.UnimplementedTickerServiceServer

	// SendTimeout is the timeout of each Send, as in [SendWithin]. The
	// default is a minute. Set it before the first call of Watch.
	SendTimeout time.Duration

	upstream tickerv1.TickerServiceClient
	drain    context.Context
	endWith  context.CancelCauseFunc
}

// NewGateway returns a gateway to upstream.
func NewGateway(upstream tickerv1.TickerServiceClient) *Gateway {
	g := &Gateway{upstream: upstream}
	g.drain, g.endWith = context.WithCancelCause(context.Background())
	return g
}

// Watch implements the RPC. It relays the upstream's ticks and the status
// with which the upstream ended the call.
//
// InvalidArgument: the metadata has a count of hops that is not a number
// below 2^32.
// FailedPrecondition: the call has crossed [MaxHops] gateways before this
// one. Aborted: one Send took longer than SendTimeout. Unavailable: the
// gateway is shutting down, or the upstream cannot be reached or accepts no
// call within [OpenTimeout].
func (g *Gateway) Watch(
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	// The call to the upstream gets the context of the call that the
	// gateway serves, so that it ends with that call and has its deadline.
	// It also ends when Watch returns and when the gateway drains.
	ctx, cancel := context.WithCancelCause(down.Context())
	defer cancel(nil)
	stop := context.AfterFunc(g.drain, func() { cancel(context.Cause(g.drain)) })
	defer stop()
	ctx, err := addHop(ctx) // refuses a call that has passed 8 gateways, as in a loop
	if err != nil {
		return err
	}
	err = g.relay(ctx, cancel, req, down)
	if status.Code(err) == codes.Canceled && g.drain.Err() != nil {
		return context.Cause(g.drain) // the status with which Drain ends calls
	}
	return err // such as the status of an upstream that drains
}

// relay makes a call to the upstream and sends its ticks to down. cancel
// must end ctx.
func (g *Gateway) relay(
	ctx context.Context, cancel context.CancelCauseFunc,
	req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick],
) error {
	opening := time.AfterFunc(OpenTimeout, func() { cancel(errNoRoom) })
	up, err := g.upstream.Watch(ctx, req)
	if !opening.Stop() {
		return errNoRoom
	}
	for err == nil {
		var tick *tickerv1.Tick
		if tick, err = up.Recv(); err == nil {
			err = SendWithin(cmp.Or(g.SendTimeout, time.Minute), down, tick)
		}
	}
	if errors.Is(err, io.EOF) { // the upstream ended the call with OK
		return nil
	}
	return err
}

// addHop returns a context for the call to the upstream, whose metadata
// counts one hop more than that of the call that the gateway serves.
func addHop(ctx context.Context) (context.Context, error) {
	hops := uint64(1)
	for _, crossed := range metadata.ValueFromIncomingContext(ctx, hopsKey) {
		n, err := strconv.ParseUint(crossed, 10, 32)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument,
				"%s: must be a number, got %.20q", hopsKey, crossed)
		}
		hops = max(hops, n+1)
	}
	if hops > MaxHops {
		return nil, status.Errorf(codes.FailedPrecondition,
			"%s: must be at most %d, got %d; a gateway may be its own upstream",
			hopsKey, MaxHops, hops)
	}
	count := strconv.FormatUint(hops, 10)
	return metadata.AppendToOutgoingContext(ctx, hopsKey, count), nil
}

// Drain ends each Watch with Unavailable. A Watch that is in Send waits for
// that Send first, and returns Aborted if it takes longer than SendTimeout. Drain does not block.
// Only the first call has an effect.
func (g *Gateway) Drain() {
	g.endWith(status.Error(codes.Unavailable, "shutting down; resume after your last tick"))
}
