package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/grade"
)

// enter ends the call with several codes, after the half-close. The gate takes
// a second for each group.
func enter(t *grade.T, f Functions) {
	for _, code := range append(someCodes(t), codes.OK) {
		end := make(chan error, 1) // what ended the gate's loop
		var sizes, want, got []int64
		_, c := dial(t, &service.Server{OnEcho: func(stream groups) error {
			var received, answered atomic.Int64
			group := make(chan int64, 100)
			go func() {
				defer close(group)
				for {
					n, err := stream.Recv()
					if err != nil {
						end <- err
						return
					}
					if received.Add(1) > answered.Load()+1 {
						t.Wrong(fmt.Sprintf("Enter, with %d groups", len(sizes)),
							"the next group, while the gate has not answered the one before", "one group after the other")
					}
					group <- n.GetValue()
				}
			}()
			inside := int64(0)
			for n := range group {
				time.Sleep(time.Second)
				inside += n
				answered.Add(1)
				if err := stream.Send(&number{Value: inside}); err != nil {
					return err
				}
			}
			return status.Error(code, "the grader closes the museum")
		}})
		for i := range int64(1 + t.Rand.IntN(9)) {
			sizes = append(sizes, 1+t.Rand.Int64N(30))
			want = append(want, sizes[i])
			if i > 0 {
				want[i] += want[i-1]
			}
		}
		var err error
		call := fmt.Sprintf("Enter, with %d groups", len(sizes))
		returns(t, call, func() { got, err = f.Enter(t.Context(), c, sizes...) })
		t.Code(fmt.Sprintf("%s, when the gate ends the call with %v", call, code), code, err)
		t.Equal(call+": the answers", want, got)
		select {
		case err := <-end:
			t.Equal(call+": what Recv returns at the gate after the last group", io.EOF, err)
		default:
			t.Wrong(call, "a return before the gate has ended the call", "a return after that")
		}
	}
}

// reports refuses a number of a report, and of one that never ends.
func reports(t *grade.T, f Functions) {
	_, c := dial(t, &service.Server{})
	var minutes []int64
	sum := int64(0)
	for range 1 + t.Rand.IntN(60) {
		n := t.Rand.Int64N(20)
		minutes, sum = append(minutes, n), sum+n
	}
	got, err := f.Report(t.Context(), c, slices.Values(minutes))
	call := fmt.Sprintf("Report, of %d minutes", len(minutes))
	t.Code(call, codes.OK, err)
	t.Equal(call, sum, got)

	for i, code := range someCodes(t) {
		_, c := dial(t, &service.Server{OnSum: func(stream report) error {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			return status.Error(code, "the grader refuses")
		}})
		given := 0
		var err error
		_, err = f.Report(t.Context(), c, func(yield func(int64) bool) {
			for (i == 0 || given < 3) && yield(1) { // the first report does not end
				synctest.Wait()
				if given++; given == 1000 {
					t.Wrong("Report, after a refusal", "it goes on with a thousand numbers", "it stops")
				}
			}
		})
		t.Code(fmt.Sprintf("Report, when the server refuses the first number with %v", code), code, err)
	}
}

// peak leaves a server that has more numbers, now or later.
func peak(t *grade.T, f Functions) {
	for _, more := range []int{0, 1, 1 << 20} {
		n := 1 + t.Rand.IntN(20)
		visitors := make([]int64, n)
		for i := range visitors {
			visitors[i] = 1 + t.Rand.Int64N(1000)
		}
		srv, c := dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
			for i := range n + more {
				if err := stream.Send(&number{Value: slices.Concat(visitors, []int64{5000})[min(i, n)]}); err != nil {
					return err
				}
			}
			<-stream.Context().Done()
			return stream.Context().Err()
		}})
		var got int64
		var err error
		call := fmt.Sprintf("Peak, with n = %d", n)
		returns(t, call, func() { got, err = f.Peak(t.Context(), c, n) })
		t.Code(call, codes.OK, err)
		t.Equal(call, slices.Max(visitors), got)
		synctest.Wait()
		t.Equal(call+", after its return: how many handlers still run on the server", 0, srv.OpenStreams())
	}
	for _, code := range someCodes(t) {
		_, c := dial(t, &service.Server{OnCount: func(*pitfallsv1.CountRequest, numbers) error {
			return status.Error(code, "the grader refuses")
		}})
		_, err := f.Peak(t.Context(), c, 5)
		t.Code(fmt.Sprintf("Peak, when the server ends the call with %v", code), code, err)
	}
}

// follow reads slowly, and then not at all.
func follow(t *grade.T, f Functions) {
	for _, code := range []codes.Code{someCodes(t)[0], codes.OK} {
		var sent, shown []int64
		for range 5 + t.Rand.IntN(5) {
			sent = append(sent, t.Rand.Int64N(1000))
		}
		_, c := dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
			for _, n := range sent {
				if err := stream.Send(&number{Value: n}); err != nil {
					return err
				}
			}
			return status.Error(code, "the grader ends the call")
		}})
		display, done := make(chan int64), make(chan error, 1)
		go func() { done <- f.Follow(t.Context(), c, display) }()
		call := fmt.Sprintf("Follow, with a display that is read once in 2 minutes, until %v", code)
		for running := true; running; {
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			select {
			case n := <-display:
				shown = append(shown, n)
			case err := <-done:
				t.Code(call, code, err)
				running = false
			default:
				t.Wrong(call, "no number, and no return", "the next number, or the end")
			}
		}
		t.Equal(call+": the numbers", sent, shown)
	}

	_, c := dial(t, &service.Server{})
	ctx, cancel := context.WithCancel(t.Context())
	display, done := make(chan int64), make(chan error, 1)
	go func() { done <- f.Follow(ctx, c, display) }()
	for range 1 + t.Rand.IntN(100) {
		<-display
	}
	synctest.Wait() // until Follow waits for display, which nobody reads from now on
	cancel()
	time.Sleep(time.Minute)
	synctest.Wait()
	select {
	case err := <-done:
		fails(t, "Follow, after a cancel", err)
	default:
		t.Wrong("Follow, a minute after a cancel, when nobody reads display any more", "no return", "an error")
	}
}

// ended requires that the call has ended with a code. OK is io.EOF.
func ended(t *grade.T, call string, want codes.Code, err error) {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	t.Code(call, want, err)
}
