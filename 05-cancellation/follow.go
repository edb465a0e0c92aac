package cancellation

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// FollowOptions are the options of [Follow]. The zero value is ready to use.
type FollowOptions struct {
	// Backoff says how long to wait before each retry.
	Backoff Backoff

	// IdleTimeout is the time without a tick after which Follow ends an
	// open call; time in the loop does not count. The default is a minute. An idle timeout does not replace
	// keepalive, because the next call may use the same connection, even if
	// that connection is half-open.
	IdleTimeout time.Duration

	// OnRetry, if not nil, is called before each wait, with the error that
	// ended the call and how long Follow waits unless ctx ends, counted
	// from the return of OnRetry.
	OnRetry func(err error, wait time.Duration)
}

// Follow yields the ticks of a request in order, each of them once. When a
// call fails and may be retried, Follow waits as [Backoff] says and resumes
// after the last tick, if there was one. After a tick, Backoff counts the failures from 1 again.
//
// Unless the loop is left, the last pair is an error: InvalidArgument if req
// cannot be marshaled, Canceled or DeadlineExceeded if ctx has ended, otherwise the
// first status for which [Retryable] is false. Leaving the loop cancels the
// call. Each loop starts again with req, which Follow does not change.
func Follow(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, opts FollowOptions,
) iter.Seq2[*tickerv1.Tick, error] {
	return func(yield func(*tickerv1.Tick, error) bool) {
		if _, err := proto.Marshal(req); err != nil { // as each call would
			yield(nil, status.Errorf(codes.InvalidArgument, "request: %v", err))
			return
		}
		req, failures := proto.CloneOf(req), 0
		for ctx.Err() == nil {
			var failure error
			for tick, err := range Ticks(ctx, c, req, cmp.Or(opts.IdleTimeout, time.Minute)) {
				if err != nil {
					failure = err // the last pair of Ticks
					break
				}
				req.After, failures = new(tick.GetSequence()), 0 // resume after this tick
				if !yield(tick, nil) {
					return
				}
			}
			if ctx.Err() == nil && !Retryable(failure) {
				yield(nil, fmt.Errorf("follow: not retryable: %w", failure))
				return
			}
			failures++
			opts.wait(ctx, failures, failure) // sleeps for opts.Backoff.Wait(failures)
		}
		yield(nil, status.FromContextError(ctx.Err()).Err())
	}
}

// wait waits after n failures in a row, of which failure is the last, or
// until ctx ends.
func (o FollowOptions) wait(ctx context.Context, n int, failure error) {
	if ctx.Err() != nil {
		return
	}
	wait := o.Backoff.Wait(n)
	if o.OnRetry != nil {
		o.OnRetry(failure, wait)
	}
	sleep(ctx, wait)
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Retryable reports whether [Follow] retries after err. It returns false for InvalidArgument, NotFound, AlreadyExists, PermissionDenied,
// ResourceExhausted, FailedPrecondition, OutOfRange, Unimplemented, DataLoss
// and Unauthenticated: after these, the request, the server or the data
// usually must change first.
//
// All other codes may have a cause that passes. Internal and Unknown are
// among them, because they are also caused by a proxy, and Unknown by a
// handler that returns a plain error. Canceled is among them, because a proxy
// may reset the stream; look at your own context first, as [Follow] does.
//
// A code does not tell who chose it, so the list is a compromise.
// ResourceExhausted may be a quota, after which a later retry helps, or a
// message over the client's limit, which each retry would receive again. A
// proxy that has no server behind it may answer HTTP 404 or 403, which
// arrive as Unimplemented and PermissionDenied, so that Follow ends during a
// deployment. On the other hand, a failure that never ends may arrive as
// Internal, such as a tick that cannot be marshaled. Follow then retries
// until ctx ends, and OnRetry tells you.
func Retryable(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
		codes.PermissionDenied, codes.ResourceExhausted, codes.FailedPrecondition,
		codes.OutOfRange, codes.Unimplemented, codes.DataLoss, codes.Unauthenticated:
		return false
	default:
		return true
	}
}

// A Backoff says how long to wait before a retry. The zero value is ready to
// use. Wait may be called concurrently.
type Backoff struct {
	Base time.Duration // the limit of the first wait; by default 100 ms
	Max  time.Duration // the limit of every wait; by default 30 s
}

// Wait returns the time to wait after n failures in a row, n ≥ 1: a random
// time below Base × 2^(n-1), or below Max if that is less.
//
// The whole wait is random ("full jitter"), so that the clients of a server
// that failed do not all return at the same time.
func (b Backoff) Wait(n int) time.Duration {
	return rand.N(b.limit(n))
}

func (b Backoff) limit(n int) time.Duration {
	limit, most := b.Base, b.Max
	if limit <= 0 {
		limit = 100 * time.Millisecond
	}
	if most <= 0 {
		most = 30 * time.Second
	}
	for ; n > 1 && limit < most; n-- {
		limit *= 2
	}
	return min(limit, most)
}
