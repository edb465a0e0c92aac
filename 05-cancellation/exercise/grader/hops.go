package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
	"example.com/streams/internal/grade"
	"example.com/streams/internal/memserver/memservertest"
)

// maxCalls is the number of calls to the upstream with which a check ends.
const maxCalls = 1000

// errDown is the status of an upstream that is down.
var errDown = status.Error(codes.Unavailable, "the upstream is down")

// hops are a client, a relay, and its upstream. A check sets the functions
// before it calls serve.
type hops struct {
	t *grade.T

	onFollow func(*feedv1.FollowRequest, items) error // is the upstream's handler
	onCall   func(n int64) error                      // if not nil, may refuse the n-th call to the upstream
	onRelay  func()                                   // if not nil, runs before the relay's handler
	onSend   func() error                             // if not nil, may make the relay's Send fail

	start  time.Time
	relay  Relay
	client feedv1.FeedServiceClient // of the relay

	calls     atomic.Int64 // how often the relay has called the upstream
	upstreams atomic.Int64 // how many handlers of the upstream run
	relays    atomic.Int64 // how many handlers of the relay run
}

// serve serves the upstream and the relay.
func (h *hops) serve(relay newRelay) {
	h.start = time.Now()
	upstream := memservertest.Serve(h.t, func(s grpc.ServiceRegistrar) {
		feedv1.RegisterFeedServiceServer(s, stub{OnFollow: h.onFollow})
	}, grpc.StreamInterceptor(h.handleUpstream))
	h.relay = relay(feedv1.NewFeedServiceClient(upstream.Dial(h.t, grpc.WithStreamInterceptor(h.call))))
	down := memservertest.Serve(h.t, func(s grpc.ServiceRegistrar) {
		feedv1.RegisterFeedServiceServer(s, h.relay)
	}, grpc.StreamInterceptor(h.handleRelay))
	h.client = feedv1.NewFeedServiceClient(down.Dial(h.t))
}

// call intercepts the calls of the relay.
func (h *hops) call(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, next grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	n := h.calls.Add(1)
	if n == maxCalls {
		h.t.Wrong("Follow, with an upstream that fails",
			fmt.Sprintf("%d calls to the upstream in %v", n, time.Since(h.start).Round(time.Millisecond)),
			fmt.Sprintf("fewer than %d calls in an hour", maxCalls))
	}
	if h.onCall != nil {
		if err := h.onCall(n); err != nil {
			return nil, err
		}
	}
	return next(ctx, desc, cc, method, opts...)
}

func (h *hops) handleUpstream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	h.upstreams.Add(1)
	defer h.upstreams.Add(-1)
	return next(srv, stream)
}

func (h *hops) handleRelay(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	h.relays.Add(1)
	defer h.relays.Add(-1)
	if h.onRelay != nil {
		h.onRelay()
	}
	return next(srv, sending{stream, h.onSend})
}

// sending is a stream whose Send may fail.
type sending struct {
	grpc.ServerStream
	onSend func() error
}

func (s sending) SendMsg(m any) error {
	if s.onSend != nil {
		if err := s.onSend(); err != nil {
			return err
		}
	}
	return s.ServerStream.SendMsg(m)
}

// refuseAgain ends the check when the relay calls the upstream although
// wrong(n) reports that its n-th call is one too many.
func (h *hops) refuseAgain(call string, wrong func(n int64) bool) {
	h.onCall = func(n int64) error {
		if wrong(n) {
			h.t.Wrong(call, "it calls the upstream again", "it returns")
		}
		return nil
	}
}

// follow calls the relay.
func (h *hops) follow(ctx context.Context, after uint64) grpc.ServerStreamingClient[feedv1.Item] {
	stream, err := h.client.Follow(ctx, &feedv1.FollowRequest{After: after})
	h.t.Code("opening the stream", codes.OK, err)
	return stream
}

// receive requires that the next n items are those that follow after.
func (h *hops) receive(call string, stream grpc.ServerStreamingClient[feedv1.Item], after uint64, n int) {
	for range n {
		got, err := stream.Recv()
		call := fmt.Sprintf("%s: what comes after item %d", call, after)
		after++
		want := text(item(after))
		switch {
		case errors.Is(err, io.EOF):
			h.t.Wrong(call, "OK", want)
		case err != nil:
			h.t.Wrong(call, statusText(err), want)
		default:
			h.t.Equal(call, want, text(got))
		}
	}
}

// ends requires that the next thing that comes is the status OK.
func (h *hops) ends(call string, stream grpc.ServerStreamingClient[feedv1.Item]) {
	got, err := stream.Recv()
	switch {
	case err == nil:
		h.t.Wrong(call+": what comes after the last item", text(got), codes.OK)
	case !errors.Is(err, io.EOF):
		h.t.Wrong(call+": what comes after the last item", statusText(err), codes.OK)
	}
}

// send sends the n items that follow after.
func send(stream items, after uint64, n int) error {
	for range n {
		after++
		if err := stream.Send(item(after)); err != nil {
			return err
		}
	}
	return nil
}

// forever sends some items each second.
func forever(req *feedv1.FollowRequest, stream items) error {
	const n = 7 // more than a check reads, so that a relay has items that it cannot send on
	for after := req.GetAfter(); ; after += n {
		if err := send(stream, after, n); err != nil {
			return err
		}
		if err := silent(stream, time.Second); err != nil {
			return err
		}
	}
}

// silent waits.
func silent(stream items, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

func item(n uint64) *feedv1.Item {
	return &feedv1.Item{Sequence: n, Headline: fmt.Sprintf("headline %d", n)}
}

func text(i *feedv1.Item) string { return fmt.Sprintf("item %d, %q", i.GetSequence(), i.GetHeadline()) }

func statusText(err error) string {
	s, ok := status.FromError(err)
	if !ok {
		return fmt.Sprintf("%v, which is not a status", err)
	}
	text := fmt.Sprintf("%v: %s", s.Code(), s.Message())
	if n := len(s.Details()); n > 0 {
		text += fmt.Sprintf(" (and %d detail)", n)
	}
	return text
}

// A stub is a FeedService whose Follow is OnFollow.
type stub struct {
	feedv1.UnimplementedFeedServiceServer
	OnFollow func(*feedv1.FollowRequest, items) error
}

func (s stub) Follow(req *feedv1.FollowRequest, stream items) error { return s.OnFollow(req, stream) }
