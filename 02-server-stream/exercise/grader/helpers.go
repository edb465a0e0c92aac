package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
	"example.com/streams/internal/grade"
)

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
// among them the second of each three.
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
