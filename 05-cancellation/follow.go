package cancellation

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// FollowOptions are the options of [Follow]. The zero value is ready to use.
type FollowOptions struct {
	Backoff Backoff

	// Idle ends a stream that is silent for so long; 0: one minute. It
	// does not replace keepalive: the next stream uses the connection
	// that there is, even if nobody is at its other end.
	Idle time.Duration

	// OnRetry, if set, is told why a stream ended, and how long it will
	// be until the next one.
	OnRetry func(err error, wait time.Duration)
}

// Follow yields the ticks of a request, each one once, in order, as long as
// ctx lasts. When a stream fails, Follow waits as [Backoff] says, and resumes
// after the last tick. Every tick makes the next wait short again.
//
// The last pair may be an error: Canceled or DeadlineExceeded if ctx is done,
// else the status of a failure that [Curable] says no to. Breaking out of
// the loop ends the stream.
func Follow(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, opts FollowOptions,
) iter.Seq2[*tickerv1.Tick, error] {
	return func(yield func(*tickerv1.Tick, error) bool) {
		req, failures := proto.CloneOf(req), 0
		for {
			var failure error
			for tick, err := range Watch(ctx, c, req, cmp.Or(opts.Idle, time.Minute)) {
				if failure = err; err != nil {
					break
				}
				req.After, failures = new(tick.GetSequence()), 0
				if !yield(tick, nil) {
					return
				}
			}
			failures++
			if err := opts.pause(ctx, failures, failure); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// pause waits before the next attempt, or returns why there must be none.
func (o FollowOptions) pause(ctx context.Context, failures int, err error) error {
	switch {
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case !Curable(err):
		return fmt.Errorf("follow: a retry cannot help: %w", err)
	}
	wait := o.Backoff.Wait(failures)
	if o.OnRetry != nil {
		o.OnRetry(err, wait)
	}
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-time.After(wait):
		return nil
	}
}
