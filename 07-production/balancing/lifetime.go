package balancing

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// What a client receives when a Lifetime has ended its stream.
var (
	errAge   = status.Error(codes.Unavailable, "the stream has reached its maximum age; open it again")
	errDrain = status.Error(codes.Unavailable, "shutting down; open the stream again")
)

// A Lifetime ends the streams of one server with Unavailable: each stream at
// its maximum age, and all of them when the server drains. It cancels the
// context that the handler gets from its stream, and the handler must then
// return an error. A handler that waits in Send or Recv does not notice.
// Create a Lifetime with [NewLifetime]. Methods may be called concurrently.
type Lifetime struct {
	maxAge  time.Duration
	drained context.Context
	drain   context.CancelFunc
}

// NewLifetime returns a Lifetime with a maximum age, plus or minus up to
// 10 %, so that streams that began together do not end together. 0 means no
// maximum.
func NewLifetime(maxAge time.Duration) *Lifetime {
	l := &Lifetime{maxAge: maxAge}
	l.drained, l.drain = context.WithCancel(context.Background())
	return l
}

// ServerOptions returns the options of the server. At its maximum age, give
// or take up to 10 %, a connection takes no new streams; the client opens the
// next one on another connection. The old one stays open until its last stream
// has ended, for at most 1.25 times the maximum age and a second.
func (l *Lifetime) ServerOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{grpc.ChainStreamInterceptor(l.Intercept)}
	if l.maxAge > 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      l.maxAge,
			MaxConnectionAgeGrace: l.maxAge * 5 / 4,
			Time:                  20 * time.Second, // this option replaces all
			Timeout:               10 * time.Second, // parameters, also these
		}))
	}
	return options
}

// Intercept is a [grpc.StreamServerInterceptor].
func (l *Lifetime) Intercept(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	ctx, end := context.WithCancelCause(stream.Context())
	defer end(nil)
	defer context.AfterFunc(l.drained, func() { end(errDrain) })()
	if l.maxAge > 0 {
		age := l.maxAge*9/10 + rand.N(l.maxAge/5+1)
		defer time.AfterFunc(age, func() { end(errAge) }).Stop()
	}
	err := handler(srv, withContext{stream, ctx})
	cause := context.Cause(ctx)
	if err != nil && (errors.Is(cause, errAge) || errors.Is(cause, errDrain)) {
		return cause
	}
	return err
}

// Drain tells all streams to end, and each new one at once. It does not block. Call
// it when the drain of the server begins, before GracefulStop.
func (l *Lifetime) Drain() { l.drain() }

// A withContext is a stream with another context.
type withContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s withContext) Context() context.Context { return s.ctx }
