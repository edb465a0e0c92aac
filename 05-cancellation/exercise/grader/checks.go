package grader

import (
	"context"
	"fmt"
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
	for _, n := range []int{0, 2 + t.Rand.IntN(5)} {
		h := &hops{t: t, onFollow: forever}
		if n == 0 {
			h.onFollow = func(_ *feedv1.FollowRequest, stream items) error { return silent(stream, time.Hour) }
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		call := fmt.Sprintf("Follow, when the client cancels after %d items", n)
		h.refuseAgain(call, func(int64) bool { return ctx.Err() != nil })
		h.serve(relay)
		stream := h.follow(ctx, 0)
		h.receive("Follow", stream, 0, n)
		synctest.Wait()
		t.Equal("Follow: the number of open calls to the upstream", 1, h.upstreams.Load())
		cancel()
		synctest.Wait()
		t.Equal(call+": the number of open calls to the upstream", 0, h.upstreams.Load())
		t.Equal(call+": how many calls of Follow still run", 0, h.relays.Load())
	}
}

// deadline looks at the deadline that the upstream sees, a second after the
// client's call.
func deadline(t *grade.T, relay newRelay) {
	const late = time.Second
	for _, limit := range []time.Duration{
		time.Duration(2+t.Rand.IntN(8)) * time.Second, time.Duration(2+t.Rand.IntN(8)) * time.Minute, 0,
	} {
		start, seen := time.Now(), make(chan string, maxCalls)
		h := &hops{t: t, onRelay: func() { time.Sleep(late) }, onFollow: func(_ *feedv1.FollowRequest, stream items) error {
			if d, ok := stream.Context().Deadline(); ok {
				seen <- time.Until(d).Round(10 * time.Millisecond).String()
			} else {
				seen <- "none"
			}
			if err := silent(stream, 50*time.Minute-time.Since(start)); err != nil {
				return err
			}
			return send(stream, 0, 1)
		}}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		who, want := "without a deadline", "none"
		if limit > 0 {
			ctx, cancel = context.WithTimeout(t.Context(), limit)
			who, want = fmt.Sprintf("with a deadline of %v", limit), (limit - late).String()
		}
		defer cancel()
		call := fmt.Sprintf("Follow, for a client %s", who)
		h.refuseAgain(call+", after that", func(int64) bool { return ctx.Err() != nil })
		h.serve(relay)
		stream := h.follow(ctx, 0)
		time.Sleep(late)
		synctest.Wait()
		got := "no call"
		if len(seen) > 0 {
			got = <-seen
		}
		t.Equal(fmt.Sprintf("%s, %v after its call: the time left that the upstream sees", call, late), want, got)
		if limit == 0 {
			h.receive(call+", when the upstream sends nothing for 50 minutes", stream, 0, 1)
			continue
		}
		_, err := stream.Recv()
		t.Code(call+": its status", codes.DeadlineExceeded, err)
		synctest.Wait()
		t.Equal(call+", after that: the number of open calls to the upstream", 0, h.upstreams.Load())
	}
}

// statuses ends the upstream's call with OK, and with codes after which
// the relay makes no other call.
func statuses(t *grade.T, relay newRelay) {
	others := []codes.Code{
		codes.Canceled, codes.Unknown, codes.InvalidArgument, codes.DeadlineExceeded, codes.AlreadyExists,
		codes.PermissionDenied, codes.ResourceExhausted, codes.FailedPrecondition, codes.Aborted,
		codes.Unimplemented, codes.Internal, codes.DataLoss, codes.Unauthenticated,
	}
	t.Rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	all := append([]codes.Code{codes.OK, codes.NotFound, codes.OutOfRange}, others...)
	for i, code := range all {
		end := status.New(code, "")
		if code != codes.OK {
			var err error
			end, err = status.New(code, fmt.Sprintf("the grader's reason %d", t.Rand.IntN(100))).WithDetails(item(1))
			t.Code("making a status", codes.OK, err)
		}
		n := 2 + t.Rand.IntN(4)
		call := fmt.Sprintf("Follow, when the upstream ends with %v after %d items", code, n)
		h := &hops{t: t, onFollow: func(_ *feedv1.FollowRequest, stream items) error {
			if err := send(stream, 0, n); err != nil {
				return err
			}
			return end.Err()
		}}
		h.refuseAgain(call, func(calls int64) bool { return calls > 1 })
		if i >= len(all)-5 {
			n, call = 0, fmt.Sprintf("Follow, when the call to the upstream fails with %v", code)
			h.onCall = func(int64) error { return end.Err() }
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
		call := fmt.Sprintf("Follow, when Send of item %d fails with %v", n+1, code)
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
		h.refuseAgain(call, func(calls int64) bool { return calls > 1 })
		h.serve(relay)
		stream := h.follow(t.Context(), 0)
		h.receive(call, stream, 0, n)
		_, err := stream.Recv()
		t.Code(call, code, err)
		synctest.Wait()
		t.Equal(call+": the number of open calls to the upstream", 0, h.upstreams.Load())
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
	var last time.Time // when the upstream sent the last items
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
			last = time.Now()
			if err := send(stream, req.GetAfter(), int(after)+n-int(req.GetAfter())); err != nil {
				return err
			}
			return silent(stream, time.Minute)
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
	t.Equal(call+": how late the last item comes", time.Duration(0), time.Since(last))
	h.ends(call, stream)
}

// waits looks at the calls to an upstream that is down for an hour, and then
// fails again.
func waits(t *grade.T, relay newRelay) {
	const calls, n = 3, 2 // the calls that the upstream serves, and what it sends in each
	var began, failed time.Time
	limit := time.Second // of the next wait
	fail := func(next time.Duration) error {
		failed, limit = time.Now(), next
		return errDown
	}
	down := func() bool { return !began.IsZero() && time.Since(began) < time.Hour }
	working := 0
	h := &hops{t: t}
	h.onCall = func(call int64) error {
		if wait := time.Since(failed); !failed.IsZero() && wait > limit {
			which := "a wait, while it is down for an hour"
			if limit == time.Second {
				which = "the first wait"
			}
			t.Wrong("Follow, when the upstream fails after an item: "+which, wait.Round(time.Millisecond), fmt.Sprintf("at most %v", limit))
		}
		if down() && call%2 == 0 { // the others fail in Recv
			return fail(30 * time.Second)
		}
		return nil
	}
	h.onFollow = func(req *feedv1.FollowRequest, stream items) error {
		if down() {
			return fail(30 * time.Second)
		}
		if err := send(stream, req.GetAfter(), n); err != nil {
			return err
		}
		if working++; working == calls {
			return nil
		}
		if began.IsZero() {
			began = time.Now()
		}
		return fail(time.Second)
	}
	h.serve(relay)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 100*time.Minute)
	defer cancel()
	stream := h.follow(ctx, 0)
	const call = "Follow, when the upstream is down for an hour"
	h.receive(call, stream, 0, calls*n)
	h.ends(call, stream)
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
	t.Equal(call+": how many calls of Follow still run", 0, h.relays.Load())
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
		t.Equal(call+": how many calls of Follow still run", 0, h.relays.Load())
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
