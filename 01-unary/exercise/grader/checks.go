package grader

import (
	"context"
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/01-unary/exercise/journal"
	journalv1 "example.com/streams/01-unary/exercise/journal/v1"
	"example.com/streams/internal/grade"
)

// pages asks for random pages, and for those at the end of a journal.
func pages(t *grade.T, server newServer) {
	j, oldest, newest := draw(t, 0)
	client := dial(t, server(j))
	for _, p := range []struct{ after, lines, limit uint64 }{
		{oldest, 5, 5},                             // there is more
		{newest - 3, 3, 10},                        // fewer lines than the limit
		{newest - 7, 7, 7},                         // a full page, and nothing more
		{newest - 7, 6, 6},                         // a full page, and one more
		{newest, 0, 1 + t.Rand.Uint64N(100)},       // nothing new
		{oldest + t.Rand.Uint64N(20), 1, 1},        // the smallest page
		{newest - 1, 1, 2 + t.Rand.Uint64N(100-2)}, // one line
	} {
		req := &journalv1.PageRequest{After: p.after, Limit: int32(p.limit)}
		call := text(req) + fmt.Sprintf(", with the lines %d to %d", oldest, newest)
		page, err := client.GetPage(t.Context(), req)
		t.Code(call, codes.OK, err)
		want := &journalv1.Page{Next: p.after + p.lines, More: p.after+p.lines < newest}
		for i := range p.lines {
			want.Lines = append(want.Lines, &journalv1.Line{Sequence: p.after + 1 + i})
		}
		t.Equal(call, pageText(want), pageText(page))
		for _, line := range page.GetLines() {
			read, _ := j.Line(line.GetSequence())
			t.Equal(fmt.Sprintf("%s: the text of line %d", call, line.GetSequence()), read, line.GetText())
		}
	}
	together(t, server)
	empty, err := dial(t, server(journal.New(10, 0))).GetPage(t.Context(), &journalv1.PageRequest{Limit: 10})
	t.Code("GetPage(after: 0, limit: 10), without lines", codes.OK, err)
	t.Equal("GetPage(after: 0, limit: 10), without lines", pageText(&journalv1.Page{}), pageText(empty))
}

// together asks for two pages at the same time.
func together(t *grade.T, server newServer) {
	j, oldest, newest := draw(t, time.Second)
	client := dial(t, server(j))
	get := func(after uint64, limit int32) string {
		page, err := client.GetPage(t.Context(), &journalv1.PageRequest{After: after, Limit: limit})
		if err != nil {
			return status.Code(err).String()
		}
		return pageText(page)
	}
	other := make(chan string, 1)
	go func() { other <- get(oldest, 3) }()
	got := get(newest-5, 5)
	const call = "GetPage, beside another call of it"
	want := &journalv1.Page{Next: newest}
	for _, sequence := range sequences(newest-5, newest) {
		want.Lines = append(want.Lines, &journalv1.Line{Sequence: sequence})
	}
	t.Equal(call, pageText(want), got)
	want = &journalv1.Page{Next: oldest + 3, More: true}
	for _, sequence := range sequences(oldest, oldest+3) {
		want.Lines = append(want.Lines, &journalv1.Line{Sequence: sequence})
	}
	t.Equal(call, pageText(want), <-other)
}

// limits asks for too few and too many lines, and for the fewest and the most.
func limits(t *grade.T, server newServer) {
	j, oldest, _ := draw(t, 0)
	client := dial(t, server(j))
	for _, limit := range []int32{0, -1 - t.Rand.Int32N(100), 101, 102 + t.Rand.Int32N(1000)} {
		req := &journalv1.PageRequest{After: oldest, Limit: limit}
		_, err := client.GetPage(t.Context(), req)
		t.Code(text(req), codes.InvalidArgument, err)
		bound := "1"
		if limit > 0 {
			bound = "100"
		}
		names(t, text(req), err, fmt.Sprintf("limit: must be from 1 to 100, got %d", limit), "limit", bound)
	}
	for _, limit := range []int32{1, 100} {
		req := &journalv1.PageRequest{After: oldest, Limit: limit}
		_, err := client.GetPage(t.Context(), req)
		t.Code(text(req), codes.OK, err)
	}
}

// positions asks for pages at both ends of the journal, and beyond them.
func positions(t *grade.T, server newServer) {
	j, oldest, newest := draw(t, 0)
	client := dial(t, server(j))
	for _, p := range []struct {
		after uint64
		want  codes.Code
		bound uint64
	}{
		{newest + 1, codes.OutOfRange, newest},
		{newest + 2 + t.Rand.Uint64N(1000), codes.OutOfRange, newest},
		{newest, codes.OK, 0},
		{0, codes.OutOfRange, oldest},
		{oldest - 2, codes.OutOfRange, oldest},
		{oldest - 1, codes.OK, 0}, // such a client misses no line
	} {
		req := &journalv1.PageRequest{After: p.after, Limit: 1 + t.Rand.Int32N(100)}
		call := text(req) + fmt.Sprintf(", with the lines %d to %d", oldest, newest)
		_, err := client.GetPage(t.Context(), req)
		t.Code(call, p.want, err)
		if p.want != codes.OK {
			example := fmt.Sprintf("after: %d is ahead; the newest is %d", p.after, p.bound)
			if p.bound == oldest {
				example = fmt.Sprintf("after: %d is no longer held; the oldest is %d", p.after, p.bound)
			}
			names(t, call, err, example, "after", fmt.Sprint(p.bound))
		}
	}
}

// dropped lets the journal drop its oldest line while the server reads it.
func dropped(t *grade.T, server newServer) {
	j, oldest, _ := draw(t, time.Second)
	time.AfterFunc(time.Second/2, func() { j.Append("the newest") })
	req := &journalv1.PageRequest{After: oldest - 1, Limit: 3}
	call := text(req) + fmt.Sprintf(", when the journal drops line %d while GetPage reads it", oldest)
	page, err := dial(t, server(j)).GetPage(t.Context(), req)
	if err != nil {
		t.Code(call, codes.OutOfRange, err)
		now := oldest + 1
		names(t, call, err, fmt.Sprintf("after: %d is no longer held; the oldest is %d", req.GetAfter(), now),
			"after", fmt.Sprint(now))
		return
	}
	// A page of what could be read before is right, but the first line is gone.
	if len(page.GetLines()) == 0 || page.GetNext() != req.GetAfter()+uint64(len(page.GetLines())) {
		t.Wrong(call, pageText(page), codes.OutOfRange)
	}
	for i, line := range page.GetLines() { // what could be read before
		if line.GetSequence() != oldest+uint64(i) || line.GetText() == "" {
			t.Wrong(call, fmt.Sprintf("line %d, with the text %q", line.GetSequence(), line.GetText()), codes.OutOfRange)
		}
	}
}

// abandoned ends the context of a handler that reads a slow journal.
func abandoned(t *grade.T, server newServer) {
	j, oldest, _ := draw(t, time.Second)
	req := &journalv1.PageRequest{After: oldest - 1, Limit: 100}
	for _, tt := range []struct {
		want codes.Code
		with contextEnd
	}{{codes.DeadlineExceeded, context.WithTimeout}, {codes.Canceled, cancelAfter}} {
		leaves := time.Duration(1+t.Rand.IntN(5))*time.Second + time.Second/2
		ctx, cancel := tt.with(t.Context(), leaves)
		start := time.Now()
		_, err := server(j).GetPage(ctx, req)
		cancel()
		call := fmt.Sprintf("%s, where each line takes 1s, and the context ends after %v", text(req), leaves)
		if took := time.Since(start); took > leaves+time.Second {
			t.Wrong(call, fmt.Sprintf("a return after %v", took), "a return before the next line is read")
		}
		if errors.Is(err, ctx.Err()) {
			err = status.FromContextError(err).Err() // as gRPC does
		}
		t.Code(call, tt.want, err)
	}
}

// polls appends lines while Follow waits.
func polls(t *grade.T, follow follow) {
	s := newStub(t)
	after, interval := drawAfter(t), drawInterval(t)
	f := start(t, follow(t.Context(), dial(t, s), after, interval), func(n int) bool {
		if n == 1 {
			t.Equal("Follow, when the caller gets the first line: the number of calls of GetPage", 1, s.calls())
		}
		return true
	})
	for round := range 4 {
		_, newest := s.journal.Range()
		want := linesText(sequences(after, newest))
		call := followText(after, interval)
		synctest.Wait()
		t.Equal(fmt.Sprintf("%s, with the lines 1 to %d, at %v", call, newest, time.Duration(round)*interval), want, f)
		time.Sleep(interval / 2)
		write(t, s.journal, t.Rand.IntN(250))
		time.Sleep(interval/2 - time.Millisecond)
		synctest.Wait()
		t.Equal(call+", with new lines, 1ms before it must ask again", want, f)
		time.Sleep(time.Millisecond)
	}
	f.requireTexts(t, s.journal)
}

// outages lets some calls fail with Unavailable.
func outages(t *grade.T, follow follow) {
	s := newStub(t)
	after, interval := drawAfter(t), drawInterval(t)
	fails := []bool{true, false, true, true, false}
	for range 7 {
		fails = append(fails, t.Rand.IntN(2) == 0)
	}
	s.OnCall = func(_ context.Context, call int) error {
		if call < len(fails) && fails[call] {
			return status.Error(codes.Unavailable, "the grader restarts")
		}
		return nil
	}
	f := start(t, follow(t.Context(), dial(t, s), after, interval), always)
	_, newest := s.journal.Range()
	time.Sleep(time.Duration(len(fails)+1) * interval)
	synctest.Wait()
	call := followText(after, interval)
	t.Equal(call+", when some calls return Unavailable", linesText(sequences(after, newest)), f)
	for i, wait := range s.waits() {
		if i < len(fails) && fails[i] {
			t.Equal(call+": the time from an Unavailable call to the next one", interval, wait)
		}
	}
}

// failures lets one call fail for good.
func failures(t *grade.T, follow follow) {
	for _, n := range []int{0, 1} {
		s := newStub(t)
		code := []codes.Code{codes.NotFound, codes.PermissionDenied, codes.OutOfRange, codes.Internal}[t.Rand.IntN(4)]
		s.OnCall = func(_ context.Context, call int) error {
			if call == n {
				return status.Error(code, "the grader refuses the call")
			}
			return nil
		}
		f := start(t, follow(t.Context(), dial(t, s), drawAfter(t), drawInterval(t)), always)
		synctest.Wait()
		f.requireError(t, fmt.Sprintf("Follow, when call %d of GetPage returns %v", n+1, code), code)
	}
}

// contexts ends the context in each state in which Follow waits.
func contexts(t *grade.T, follow follow) {
	hang := func(ctx context.Context, _ int) error {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	unavailable := func(context.Context, int) error { return status.Error(codes.Unavailable, "the grader restarts") }
	interval := drawInterval(t)
	for _, tt := range []struct {
		when   string
		onCall func(context.Context, int) error
		with   contextEnd
		ends   time.Duration
		want   codes.Code
	}{
		{"while a call hangs", hang, cancelAfter, time.Millisecond, codes.Canceled},
		{"while it waits", nil, cancelAfter, interval / 2, codes.Canceled},
		{"while it waits", nil, context.WithTimeout, interval / 2, codes.DeadlineExceeded},
		{"while it waits after Unavailable", unavailable, cancelAfter, interval / 2, codes.Canceled},
	} {
		s := newStub(t)
		s.OnCall = tt.onCall
		ctx, cancel := tt.with(t.Context(), tt.ends)
		f := start(t, follow(ctx, dial(t, s), 0, interval), always)
		time.Sleep(tt.ends)
		synctest.Wait()
		f.requireError(t, fmt.Sprintf("Follow every %v, when ctx ends after %v, %s", interval, tt.ends, tt.when), tt.want)
		cancel()
	}
}

// breaks leaves the loop at the first line, between others, and at the last,
// and begins another loop over the same iterator.
func breaks(t *grade.T, follow follow) {
	for _, at := range []int{1, 2 + t.Rand.IntN(90), stubLines} {
		s := newStub(t)
		interval := drawInterval(t)
		calls := 0
		call := fmt.Sprintf("Follow, when the caller breaks at line %d of %d", at, stubLines)
		seq := follow(t.Context(), dial(t, s), 0, interval)
		f := start(t, seq, func(n int) bool {
			if n > at {
				t.Wrong(call, "it calls yield again, after yield has returned false", "a return")
			}
			if n < at {
				return true
			}
			synctest.Wait()
			calls = s.calls()
			return false
		})
		time.Sleep(time.Millisecond) // synctest.Wait would be the second one
		synctest.Wait()
		f.requireReturn(t, call)
		time.Sleep(2 * interval)
		t.Equal(call+": the number of calls of GetPage after that", calls, s.calls())
		f = start(t, seq, always)
		synctest.Wait()
		t.Equal(call+", and then loops over the iterator again", linesText(sequences(0, stubLines)), f)
	}
}
