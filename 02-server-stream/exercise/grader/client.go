package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
	"example.com/streams/internal/grade"
)

// arrives looks at what the loop has while the server still searches.
func arrives(t *grade.T, find find) {
	_, docs := draw(t, 3+t.Rand.IntN(10))
	text := docs[0].GetText()
	limit := 1 + t.Rand.Int32N(1000)
	var got []string
	looping := false
	client := dial(t, stub{OnSearch: func(req *searchv1.SearchRequest, stream results) error {
		if !looping {
			t.Wrong("Find, when nobody loops over its sequence", "it calls Search", "each loop calls Search")
		}
		t.Equal("Find: the text in the request", text, req.GetText())
		t.Equal("Find: the limit in the request", limit, req.GetLimit())
		for i, d := range docs {
			_ = stream.Send(&searchv1.Result{Title: d.GetTitle()}) // the loop below says what is missing
			synctest.Wait()
			t.Equal(fmt.Sprintf("Find, when the server has sent %d results, and still searches: "+
				"how many the loop has", i+1), i+1, len(got))
		}
		return nil
	}})
	loop, _ := find(t.Context(), client, text, limit)
	synctest.Wait()
	looping = true
	for _, call := range []string{"Find, in the first loop", "Find, in the second loop"} {
		got = nil
		for r, err := range loop {
			if errors.Is(err, io.EOF) || r == nil && err == nil {
				break // the next check is about it
			}
			t.Code(call, codes.OK, err)
			got = append(got, r.GetTitle())
		}
		t.Equal(call+": the results", titles(docs, ""), got)
	}
}

// ended ends RPCs with OK and with other codes.
func ended(t *grade.T, find find) {
	failure := []codes.Code{codes.Unavailable, codes.DataLoss, codes.Internal}[t.Rand.IntN(3)]
	for _, end := range []codes.Code{codes.OK, failure, codes.InvalidArgument} {
		n := t.Rand.IntN(10)
		want := stats{Searched: 10 + t.Rand.IntN(1000), Matched: n}
		client := dial(t, stub{OnSearch: func(_ *searchv1.SearchRequest, stream results) error {
			for i := range n {
				_ = stream.Send(&searchv1.Result{Title: fmt.Sprint(i)}) // counted below
			}
			stream.SetTrailer(metadata.Pairs("documents-searched", fmt.Sprint(want.Searched),
				"documents-matched", fmt.Sprint(want.Matched)))
			return status.Error(end, "the grader says so") // nil if it is OK
		}})
		call := fmt.Sprintf("Find, when the server sends %d results, and then %v", n, end)
		loop, got := find(t.Context(), client, "any", 1000)
		count, last := consume(t, call, loop)
		t.Equal(call+": how many results", n, count)
		t.Code(call+": the error of the last pair", end, last)
		t.Equal(call+": stats", fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got()))
	}
}

// broken leaves a loop.
func broken(t *grade.T, find find) {
	n, gone := 1+t.Rand.IntN(10), false
	client := dial(t, stub{OnSearch: func(_ *searchv1.SearchRequest, stream results) error {
		for range n + 3 {
			_ = stream.Send(&searchv1.Result{}) // fails after the break
		}
		<-stream.Context().Done()
		gone = true
		return stream.Context().Err()
	}})
	call := fmt.Sprintf("Find, after a break at result %d", n)
	count := 0
	loop, _ := find(t.Context(), client, "any", 1000)
	loop(func(*searchv1.Result, error) bool {
		if count++; count > n {
			t.Wrong(call, "it calls yield again", "it returns")
		}
		return count < n
	})
	t.Equal(fmt.Sprintf("Find, when the server sends %d results: how many", n+3), n, count)
	synctest.Wait()
	if !gone {
		t.Wrong(call, "the server still searches", "the RPC is canceled")
	}
}

// canceled ends the context before the loop, and while the server searches
// and finds nothing.
func canceled(t *grade.T, find find) {
	for _, tt := range []struct {
		call             string
		deadline, cancel time.Duration
		want             codes.Code
	}{
		{"Find, when its context has ended before the loop", 40 * time.Minute, 0, codes.Canceled},
		{"Find, after a cancel", 40 * time.Minute, 10 * time.Minute, codes.Canceled},
		{"Find, after a deadline", 10 * time.Minute, 40 * time.Minute, codes.DeadlineExceeded},
	} {
		client := dial(t, stub{OnSearch: func(_ *searchv1.SearchRequest, stream results) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
		if tt.cancel == 0 {
			cancel()
		}
		last := make(chan error, 1)
		go func() {
			loop, _ := find(ctx, client, "any", 1000)
			_, err := consume(t, tt.call, loop)
			last <- err
		}()
		time.AfterFunc(tt.cancel, cancel)
		time.Sleep(min(tt.deadline, tt.cancel) + time.Second)
		select {
		case err := <-last:
			t.Code(tt.call+": the error of the last pair", tt.want, err)
		default:
			t.Wrong(tt.call, "the loop goes on", fmt.Sprintf("the last pair has %v", tt.want))
		}
	}
}

// lasts looks for a deadline that the caller has not set.
func lasts(t *grade.T, find find) {
	const call = "Find, when its context has no deadline: the time that it gives the RPC"
	client := dial(t, stub{OnSearch: func(_ *searchv1.SearchRequest, stream results) error {
		if at, ok := stream.Context().Deadline(); ok {
			t.Wrong(call, time.Until(at), "no limit")
		}
		return nil
	}})
	loop, _ := find(context.WithoutCancel(t.Context()), client, "any", 1000)
	_, err := consume(t, call, loop)
	t.Code(call, codes.OK, err)
}

// consume loops until the end, and returns how many results came, and the
// error of the last pair.
func consume(t *grade.T, call string, loop sequence) (count int, last error) {
	for r, err := range loop {
		switch {
		case last != nil:
			t.Wrong(call, fmt.Sprintf("a pair after the error %v", last), "the error is in the last pair")
		case errors.Is(err, io.EOF), r == nil && err == nil:
			t.Wrong(call, fmt.Sprintf("a pair of nil and %v", err), "no pair after the last result if the status is OK")
		case r != nil && err != nil:
			t.Wrong(call, fmt.Sprintf("a result beside the error %v", err), "nil and the error")
		}
		if last = err; err == nil {
			count++
		}
	}
	return count, last
}
