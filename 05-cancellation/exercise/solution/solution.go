// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
)

// A Relay implements FeedService. It gets the items from another server, its
// upstream.
type Relay struct {
	feedv1.UnimplementedFeedServiceServer

	upstream feedv1.FeedServiceClient
	draining context.Context // ends when Drain is called
	drain    context.CancelFunc
}

// NewRelay returns a relay to upstream.
func NewRelay(upstream feedv1.FeedServiceClient) *Relay {
	r := &Relay{upstream: upstream}
	r.draining, r.drain = context.WithCancel(context.Background())
	return r
}

// Drain ends all calls of Follow with Unavailable. It does not block.
func (r *Relay) Drain() { r.drain() }

// Follow sends on the items of the upstream. See the proto for its codes.
func (r *Relay) Follow(req *feedv1.FollowRequest, down grpc.ServerStreamingServer[feedv1.Item]) error {
	// The context of the call that the relay serves has the client's cancel
	// and its deadline. The one below also ends at a drain, and when Follow
	// returns, which ends the call to the upstream however Follow returns.
	ctx, cancel := context.WithCancel(down.Context())
	defer cancel()
	defer context.AfterFunc(r.draining, cancel)()
	err := r.follow(ctx, req.GetAfter(), down)
	if err != nil && r.draining.Err() != nil {
		// A canceled context ends a call with Canceled, which does not tell
		// the client that it may come back.
		return status.Error(codes.Unavailable, "shutting down; resume after your last item")
	}
	return err
}

// The limits of the first wait and of all waits.
const (
	firstWait = 200 * time.Millisecond
	maxWait   = 30 * time.Second
)

// follow calls the upstream, again after Unavailable, while ctx is alive.
func (r *Relay) follow(ctx context.Context, after uint64, down grpc.ServerStreamingServer[feedv1.Item]) error {
	limit := firstWait
	for {
		up, err := r.upstream.Follow(ctx, &feedv1.FollowRequest{After: after})
		for err == nil {
			var item *feedv1.Item
			if item, err = up.Recv(); err != nil {
				break
			}
			if err := down.Send(item); err != nil {
				return err // about the client, whatever its code: another call would not help
			}
			// Only an item shows that the upstream is well. A call that was
			// opened shows nothing: the first Recv may fail.
			after, limit = item.GetSequence(), firstWait
		}
		if errors.Is(err, io.EOF) {
			return nil // Recv reports OK as io.EOF
		}
		if status.Code(err) != codes.Unavailable {
			return err // as it is: a status made from it would lose the details
		}
		// The wait is random, so that a thousand relays do not come back to
		// the upstream together.
		select {
		case <-time.After(rand.N(limit)):
		case <-ctx.Done():
			return ctx.Err()
		}
		limit = min(2*limit, maxWait)
	}
}
