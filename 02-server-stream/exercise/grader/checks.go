package grader

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing/synctest"
	"time"

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
		_, trailer, _ = search(t.Context(), client, text, 0, new(int))
		for _, key := range []string{"documents-searched", "documents-matched"} {
			t.Equal("Search, with the limit 0: "+key+" in the trailer", []int{}, trailer.Get(key))
		}
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
