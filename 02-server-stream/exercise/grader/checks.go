package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
	"example.com/streams/internal/grade"
)

// found looks at the results, and at what the client has while the documents
// still come.
func found(t *grade.T, server newServer) {
	for _, live := range []bool{false, true} {
		text, docs := draw(t, 5+t.Rand.IntN(10))
		matched, received := 0, 0
		client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
			for i, d := range docs {
				if synctest.Wait(); live {
					t.Equal(fmt.Sprintf("Search, after %d of %d documents, of which %d match: how many results the client has",
						i, len(docs), matched), matched, received)
				}
				if matches(d, text) {
					matched++
				}
				if !yield(d, nil) {
					return
				}
			}
		}))
		got, _, err := search(t.Context(), client, text, 100+t.Rand.Int32N(900), &received)
		call := fmt.Sprintf("Search, with %d documents", len(docs))
		t.Code(call, codes.OK, err)
		t.Equal(call+": the results", titles(docs, text), got)
	}
}

// compared has documents that match nearly.
func compared(t *grade.T, server newServer) {
	text, _ := draw(t, 1)
	docs := []*searchv1.Document{
		{Title: "A " + text, Text: "in the title only"},
		{Title: "B", Text: "in capitals: " + strings.ToUpper(text)},
		{Title: "C", Text: "within a word: a" + text + "b"},
		{Title: "D"},
	}
	client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}))
	for _, text := range []string{text, ""} {
		got, _, err := search(t.Context(), client, text, 100+t.Rand.Int32N(900), new(int))
		call := fmt.Sprintf("Search for %q in\n%s", text, documentsText(docs))
		t.Code(call, codes.OK, err)
		t.Equal(call, titles(docs, text), got)
	}
}

// refused asks for too few and for too many results.
func refused(t *grade.T, server newServer) {
	text, docs := draw(t, 5)
	read := 0
	client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
		for _, d := range docs {
			if read++; !yield(d, nil) {
				return
			}
		}
	}))
	for _, limit := range []int32{0, 1001, -1 - t.Rand.Int32N(1000), 1002 + t.Rand.Int32N(1000), math.MaxInt32} {
		_, _, err := search(t.Context(), client, text, limit, new(int))
		call := fmt.Sprintf("Search, with the limit %d", limit)
		t.Code(call, codes.InvalidArgument, err)
		if text := status.Convert(err).Message(); !strings.Contains(text, "limit") || !strings.Contains(text, "1000") {
			t.Wrong(call+": the message", text, fmt.Sprintf("the field and its limits, such as: limit: must be from 1 to 1000, got %d", limit))
		}
		t.Equal(call+": how many documents it read", 0, read)
	}
	for _, limit := range []int32{1, 1000} {
		_, _, err := search(t.Context(), client, "no document has this", limit, new(int))
		t.Code(fmt.Sprintf("Search, with the limit %d", limit), codes.OK, err)
	}
}

// limited has documents that never end.
func limited(t *grade.T, server newServer) {
	for _, limit := range []int{1, 2 + t.Rand.IntN(10)} {
		call := fmt.Sprintf("Search, with the limit %d", limit)
		text, docs := draw(t, 100)
		want := titles(docs, text)[:limit]
		ended := false
		client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
			defer func() { ended = true }()
			for i, matched := 0, 0; ; i++ {
				if matched == limit {
					t.Wrong(call+fmt.Sprintf(", after result %d", limit), "it asks for another document", "it returns")
				}
				d := docs[i%len(docs)]
				if matches(d, text) {
					matched++
				}
				if !yield(d, nil) {
					return
				}
			}
		}))
		got, _, err := search(t.Context(), client, text, int32(limit), new(int))
		t.Code(call, codes.OK, err)
		t.Equal(call+": the results", want, got)
		synctest.Wait()
		if !ended {
			t.Wrong(call, "the loop over Documents has not ended", "it ends")
		}
	}
}

// counted makes two searches at a time, of documents that take a second each.
func counted(t *grade.T, server newServer) {
	text, docs := draw(t, 40)
	failure := []codes.Code{codes.Unavailable, codes.DataLoss, codes.Internal}[t.Rand.IntN(3)]
	for _, end := range []error{nil, status.Error(failure, "the grader's disk is on fire")} {
		client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
			for _, d := range docs {
				time.Sleep(time.Second)
				if !yield(d, nil) {
					return
				}
			}
			if end != nil {
				yield(nil, end)
			}
		}))
		limit := 1 + t.Rand.IntN(5)
		limited := make(chan metadata.MD, 1)
		go func() {
			_, trailer, _ := search(t.Context(), client, text, int32(limit), new(int))
			limited <- trailer
		}()
		_, trailer, err := search(t.Context(), client, text, 100+t.Rand.Int32N(900), new(int))
		call := fmt.Sprintf("Search, to the end of %d documents", len(docs))
		if end != nil {
			call = fmt.Sprintf("Search, when Documents fails after %d documents", len(docs))
		}
		t.Code(call, status.Code(end), err)
		t.Equal(call+": the message", status.Convert(end).Message(), status.Convert(err).Message())
		says(t, call, trailer, len(docs), len(titles(docs, text)))
		searched, matched := 0, 0
		for matched < limit {
			if matches(docs[searched], text) {
				matched++
			}
			searched++
		}
		says(t, fmt.Sprintf("Search, with the limit %d, beside another search", limit), <-limited, searched, limit)
	}
}

// says requires the statistics in a trailer.
func says(t *grade.T, call string, trailer metadata.MD, searched, matched int) {
	t.Equal(call+": documents-searched in the trailer", []int{searched}, trailer.Get("documents-searched"))
	t.Equal(call+": documents-matched in the trailer", []int{matched}, trailer.Get("documents-matched"))
}

// left cancels a search that finds nothing in documents that never end.
func left(t *grade.T, server newServer) {
	_, docs := draw(t, 20)
	const call = "Search, after the client has left"
	ended := false
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := dial(t, server(func(yield func(*searchv1.Document, error) bool) {
		defer func() { ended = true }()
		for i, late := 0, 0; ; i++ {
			if ctx.Err() != nil {
				late++
			}
			if late > 3 { // an answer may read ahead
				t.Wrong(call, "it goes on to read documents", "it reads no other document")
			}
			time.Sleep(time.Second)
			if !yield(docs[i%len(docs)], nil) {
				return
			}
		}
	}))
	stream, err := client.Search(ctx, &searchv1.SearchRequest{Text: "no document has this", Limit: 10})
	t.Code("opening the stream", codes.OK, err)
	time.Sleep(time.Duration(1500+t.Rand.IntN(5000)) * time.Millisecond)
	cancel()
	_, err = stream.Recv()
	t.Code("Search, after a cancel", codes.Canceled, err)
	time.Sleep(time.Minute)
	synctest.Wait()
	if !ended {
		t.Wrong(call, "the loop over Documents has not ended", "it ends")
	}
}

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

// search returns the titles of the results and the trailer, and counts the
// results in received as they arrive.
func search(
	ctx context.Context, c searchv1.SearchServiceClient, text string, limit int32, received *int,
) (got []string, trailer metadata.MD, err error) {
	stream, err := c.Search(ctx, &searchv1.SearchRequest{Text: text, Limit: limit})
	if err != nil {
		return nil, nil, err
	}
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, stream.Trailer(), nil
		}
		if err != nil {
			return got, stream.Trailer(), err
		}
		got = append(got, r.GetTitle())
		*received = len(got)
	}
}

// draw returns n random documents and a text that about half of them contain,
// and at least a third.
func draw(t *grade.T, n int) (text string, docs []*searchv1.Document) {
	word := func(letters string) string {
		b := make([]byte, 5)
		for i := range b {
			b[i] = letters[t.Rand.IntN(len(letters))]
		}
		return string(b)
	}
	text = word("nopqrstuvwxyz")
	for i := range n {
		d := &searchv1.Document{Title: fmt.Sprintf("d%d", 100*(i+1)+t.Rand.IntN(100)), Text: word("abcdefghijklm")}
		if i%3 == 1 || t.Rand.IntN(4) == 0 {
			d.Text += " " + text + word("abcdefghijklm")
		}
		docs = append(docs, d)
	}
	return text, docs
}

func matches(d *searchv1.Document, text string) bool { return strings.Contains(d.GetText(), text) }

func titles(docs []*searchv1.Document, text string) (all []string) {
	for _, d := range docs {
		if matches(d, text) {
			all = append(all, d.GetTitle())
		}
	}
	return all
}

func documentsText(docs []*searchv1.Document) string {
	var b strings.Builder
	for _, d := range docs {
		fmt.Fprintf(&b, "  title %q, text %q\n", d.GetTitle(), d.GetText())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// A stub is a SearchService whose Search is OnSearch.
type stub struct {
	searchv1.UnimplementedSearchServiceServer
	OnSearch func(*searchv1.SearchRequest, results) error
}

func (s stub) Search(req *searchv1.SearchRequest, stream results) error {
	return s.OnSearch(req, stream)
}

func dial(t *grade.T, srv searchv1.SearchServiceServer) searchv1.SearchServiceClient {
	return searchv1.NewSearchServiceClient(t.Serve(func(s grpc.ServiceRegistrar) {
		searchv1.RegisterSearchServiceServer(s, srv)
	}))
}
