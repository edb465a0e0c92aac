package grader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
	"example.com/streams/internal/grade"
)

// canceled cancels while the upstream sends, and while it says nothing.
func canceled(t *grade.T, relay newRelay) {
	for _, n := range []int{0, 1 + t.Rand.IntN(5)} {
		h := &hops{t: t, onFollow: func(req *feedv1.FollowRequest, stream items) error {
			if n == 0 {
				return silent(stream, time.Hour)
			}
			return forever(req, stream)
		}}
		h.serve(relay)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := h.follow(ctx, 0)
		h.receive("Follow", stream, 0, n)
		synctest.Wait()
		t.Equal("Follow: the number of open calls to the upstream", 1, h.upstreams.Load())
		cancel()
		synctest.Wait()
		call := fmt.Sprintf("Follow, when the client cancels after %d items", n)
		t.Equal(call+": the number of open calls to the upstream", 0, h.upstreams.Load())
		t.Equal(call+": the number of handlers of the relay that run", 0, h.relays.Load())
	}
}

// deadline looks at the deadline that the upstream sees, a second after the
// client's call.
func deadline(t *grade.T, relay newRelay) {
	const late = time.Second
	seen := "no call"
	h := &hops{t: t, onRelay: func() { time.Sleep(late) }, onFollow: func(_ *feedv1.FollowRequest, stream items) error {
		seen = "none"
		if d, ok := stream.Context().Deadline(); ok {
			seen = time.Until(d).Round(10 * time.Millisecond).String()
		}
		if err := silent(stream, 50*time.Minute); err != nil {
			return err
		}
		return send(stream, 0, 1)
	}}
	h.serve(relay)
	for _, limit := range []time.Duration{
		time.Duration(2+t.Rand.IntN(8)) * time.Second, time.Duration(2+t.Rand.IntN(8)) * time.Minute,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		stream := h.follow(ctx, 0)
		time.Sleep(late)
		synctest.Wait()
		call := fmt.Sprintf("Follow, %v after a client with a deadline of %v has called", late, limit)
		t.Equal(call+": the time that the upstream sees", limit-late, seen)
		_, err := stream.Recv()
		t.Code(call+": the client's status", codes.DeadlineExceeded, err)
		synctest.Wait()
		t.Equal(call+": the open calls to the upstream after the deadline", 0, h.upstreams.Load())
	}

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	defer cancel()
	stream := h.follow(ctx, 0)
	time.Sleep(late)
	synctest.Wait()
	t.Equal("Follow, for a client without a deadline: the deadline that the upstream sees", "none", seen)
	h.receive("Follow, for a client without a deadline, from an upstream that sends nothing for 50 minutes", stream, 0, 1)
}

// statuses ends the upstream's call with OK, and with codes after which
// another call is of no use.
func statuses(t *grade.T, relay newRelay) {
	others := []codes.Code{
		codes.InvalidArgument, codes.AlreadyExists, codes.PermissionDenied, codes.FailedPrecondition,
		codes.Unimplemented, codes.DataLoss, codes.Unauthenticated,
	}
	t.Rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for i, code := range append([]codes.Code{codes.OK, codes.NotFound, codes.OutOfRange}, others[:2]...) {
		end := status.New(code, "")
		if code != codes.OK {
			var err error
			end, err = status.New(code, fmt.Sprintf("the grader's reason %d", t.Rand.IntN(100))).WithDetails(item(1))
			t.Code("making a status", codes.OK, err)
		}
		n := t.Rand.IntN(4)
		call := fmt.Sprintf("Follow, when the upstream ends with %v after %d items", code, n)
		again := func(calls int64) {
			if calls > 1 {
				t.Wrong(call, "it calls the upstream again", "it returns that status")
			}
		}
		h := &hops{
			t: t,
			onFollow: func(_ *feedv1.FollowRequest, stream items) error {
				if err := send(stream, 0, n); err != nil {
					return err
				}
				return end.Err()
			},
			onCall: func(calls int64) error { again(calls); return nil },
		}
		if i == 4 { // the last one
			n, call = 0, fmt.Sprintf("Follow, when the call to the upstream fails with %v", code)
			h.onCall = func(calls int64) error { again(calls); return end.Err() }
		}
		h.serve(relay)
		stream := h.follow(t.Context(), 0)
		h.receive(call, stream, 0, n)
		if code == codes.OK {
			h.ends(call, stream)
			continue
		}
		_, err := stream.Recv()
		t.Equal(call, statusText(end.Err()), statusText(err))
	}
}

// sendFails lets the relay's Send fail while its client waits.
func sendFails(t *grade.T, relay newRelay) {
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
		n := 1 + t.Rand.IntN(5)
		call := fmt.Sprintf("Follow, when Send %d fails with %v", n+1, code)
		sends := 0
		h := &hops{t: t, onFollow: forever, onSend: func() error {
			sends++
			if sends > n+1 {
				t.Wrong(call, "it sends another item", "it returns the error of Send")
			}
			if sends > n {
				return status.Error(code, "the grader's Send fails")
			}
			return nil
		}}
		h.serve(relay)
		stream := h.follow(t.Context(), 0)
		h.receive(call, stream, 0, n)
		_, err := stream.Recv()
		t.Code(call, code, err)
		synctest.Wait()
		t.Equal(call+": the open calls to the upstream", 0, h.upstreams.Load())
		t.Equal(call+": the calls to the upstream", 1, h.calls.Load())
	}
}

// resumed cuts the upstream before, between and after items.
func resumed(t *grade.T, relay newRelay) {
	const refused = -1
	cuts := []int{refused, 0, 1, 2} // what each call sends before it fails
	for range 2 + t.Rand.IntN(5) {
		cuts = append(cuts, refused+t.Rand.IntN(7))
	}
	t.Rand.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
	cuts = append([]int{0}, cuts...)
	after, n := uint64(1+t.Rand.IntN(1000)), 3
	for _, sent := range cuts {
		n += max(0, sent)
	}
	h := &hops{t: t}
	h.onCall = func(call int64) error {
		if call <= int64(len(cuts)) && cuts[call-1] == refused {
			return errDown
		}
		return nil
	}
	h.onFollow = func(req *feedv1.FollowRequest, stream items) error {
		call := h.calls.Load()
		if call > int64(len(cuts)) {
			return send(stream, req.GetAfter(), int(after)+n-int(req.GetAfter()))
		}
		if err := send(stream, req.GetAfter(), cuts[call-1]); err != nil {
			return err
		}
		return errDown
	}
	h.serve(relay)
	call := fmt.Sprintf("Follow, after item %d, when the upstream fails %d times with Unavailable", after, len(cuts))
	stream := h.follow(t.Context(), after)
	h.receive(call, stream, after, n)
	h.ends(call, stream)
}

// waits looks at the calls to an upstream that is down for an hour, and then
// fails again.
func waits(t *grade.T, relay newRelay) {
	const n = 2 // what the upstream sends before it fails
	var calls, failures []time.Time
	failed := func() error {
		failures = append(failures, time.Now())
		return errDown
	}
	down := func() bool { return len(failures) > 0 && time.Since(failures[0]) < time.Hour }
	h := &hops{t: t}
	h.onCall = func(call int64) error {
		calls = append(calls, time.Now())
		if down() && call%2 == 0 { // the others fail in Recv
			return failed()
		}
		return nil
	}
	working := 0 // how many calls the upstream has served
	h.onFollow = func(req *feedv1.FollowRequest, stream items) error {
		if down() {
			return failed()
		}
		if err := send(stream, req.GetAfter(), n); err != nil {
			return err
		}
		if working++; working == 3 {
			return nil
		}
		return failed()
	}
	h.serve(relay)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 100*time.Minute)
	defer cancel()
	stream := h.follow(ctx, 0)
	h.receive("Follow, when the upstream is down for an hour", stream, 0, 3*n)
	h.ends("Follow, when the upstream is down for an hour", stream)

	var all []time.Duration // a wait ends with a call
	for i, failure := range failures {
		all = append(all, calls[i+1].Sub(failure))
	}
	atMost := func(call string, most, got time.Duration) {
		if got > most {
			t.Wrong(call, got.Round(time.Millisecond), fmt.Sprintf("at most %v", most))
		}
	}
	atMost("Follow, when the upstream fails: the first wait", time.Second, all[0])
	atMost("Follow, while the upstream is down for an hour: the longest wait", 30*time.Second, slices.Max(all))
	atMost("Follow, when the upstream fails again, after more items: the first wait", time.Second, all[len(all)-1])
}

// waitEnds cancels while the upstream is down.
func waitEnds(t *grade.T, relay newRelay) {
	h := &hops{t: t, onFollow: func(*feedv1.FollowRequest, items) error { return errDown }}
	h.serve(relay)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.follow(ctx, 0)
	time.Sleep(minutes(t))
	cancel()
	synctest.Wait()
	const call = "Follow, when the client cancels during a wait"
	t.Equal(call+": the number of handlers of the relay that run", 0, h.relays.Load())
	before := h.calls.Load()
	time.Sleep(10 * time.Minute)
	t.Equal(call+": the calls to the upstream in the next ten minutes", 0, h.calls.Load()-before)
}

// drained drains relays that wait in Recv, and for the next call.
func drained(t *grade.T, relay newRelay) {
	for _, call := range []string{"Drain, with two open calls", "Drain, during a wait"} {
		h := &hops{t: t, onFollow: forever}
		if call == "Drain, during a wait" {
			h.onFollow = func(*feedv1.FollowRequest, items) error { return errDown }
		}
		h.serve(relay)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		streams := []grpc.ServerStreamingClient[feedv1.Item]{h.follow(ctx, 0), h.follow(ctx, 100)}
		time.Sleep(minutes(t) / 10)
		h.relay.Drain()
		synctest.Wait()
		t.Equal(call+": the number of handlers of the relay that run", 0, h.relays.Load())
		t.Equal(call+": the number of open calls to the upstream", 0, h.upstreams.Load())
		for _, stream := range streams {
			var err error
			for err == nil {
				_, err = stream.Recv()
			}
			t.Code(call+": the client's status", codes.Unavailable, err)
			if message := status.Convert(err).Message(); !strings.Contains(strings.ToLower(message), "resume") {
				t.Wrong(call+": the text of the client's status", fmt.Sprintf("%q", message), "a text with the word resume")
			}
		}
	}
}

// minutes returns a time at which probably nothing else happens.
func minutes(t *grade.T) time.Duration {
	return 5*time.Minute + time.Duration(t.Rand.Int64N(int64(30*time.Minute)))
}
