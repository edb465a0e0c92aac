// Package exercise is yours to repair. README.md says what it must do.
package exercise

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

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
	for {
		up, err := r.upstream.Follow(context.Background(), req)
		for err == nil {
			var item *feedv1.Item
			if item, err = up.Recv(); err == nil {
				_ = down.Send(item)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}
