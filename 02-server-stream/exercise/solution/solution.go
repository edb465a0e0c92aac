// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
)

// Keys of the trailer, which has a decimal number for each.
const (
	SearchedKey = "documents-searched"
	MatchedKey  = "documents-matched"
)

// Stats counts the documents of one search.
type Stats struct {
	Searched int // documents that Documents has yielded
	Matched  int // documents among them that contain the text
}

// Trailer returns s as a trailer.
func (s Stats) Trailer() metadata.MD {
	return metadata.Pairs(SearchedKey, strconv.Itoa(s.Searched), MatchedKey, strconv.Itoa(s.Matched))
}

// StatsOf reads a trailer. A number that the trailer does not have is 0.
func StatsOf(trailer metadata.MD) Stats {
	number := func(key string) int {
		n, _ := strconv.Atoi(strings.Join(trailer.Get(key), " "))
		return n
	}
	return Stats{Searched: number(SearchedKey), Matched: number(MatchedKey)}
}

// Server implements SearchService.
type Server struct {
	searchv1.UnimplementedSearchServiceServer

	// Documents yields the documents to search, from the first one in each
	// loop. It may be slow, and it may never end. If it fails, its last pair
	// is nil and a status. Loops may run concurrently.
	Documents iter.Seq2[*searchv1.Document, error]
}

// Search sends a result for each match. See the proto for its trailer and
// its codes.
func (s *Server) Search(req *searchv1.SearchRequest, stream grpc.ServerStreamingServer[searchv1.Result]) error {
	limit := int(req.GetLimit())
	if limit < 1 || limit > 1000 {
		return status.Errorf(codes.InvalidArgument, "limit: must be from 1 to 1000, got %d", limit)
	}
	// A variable of the RPC: a field of Server would count for all RPCs that
	// run at the same time.
	var stats Stats
	// The trailer leaves with the status, when Search returns. So it is set at
	// each return below, and once: SetTrailer adds to what is set before.
	defer func() { stream.SetTrailer(stats.Trailer()) }()
	for doc, err := range s.Documents {
		if err != nil {
			return err // the client gets the results before it
		}
		// If nothing matches, Send is never called, so only the context says
		// that the client has left.
		if err := stream.Context().Err(); err != nil {
			return status.FromContextError(err).Err()
		}
		stats.Searched++
		if !strings.Contains(doc.GetText(), req.GetText()) {
			continue
		}
		stats.Matched++
		if err := stream.Send(&searchv1.Result{Title: doc.GetTitle()}); err != nil {
			return err // usually the RPC has ended
		}
		if stats.Matched == limit {
			return nil // here, because the next document may take an hour
		}
	}
	return nil // the client's Recv returns io.EOF
}

// Find yields the results of a search as they arrive. Each loop over the
// sequence is one RPC, which a break cancels. If the RPC fails, the last pair
// is nil and the status. When Recv reports the end of the RPC, Find sets
// stats to what its trailer says.
func Find(
	ctx context.Context, c searchv1.SearchServiceClient, text string, limit int32, stats *Stats,
) iter.Seq2[*searchv1.Result, error] {
	return func(yield func(*searchv1.Result, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // a break alone does not end the RPC
		stream, err := c.Search(ctx, &searchv1.SearchRequest{Text: text, Limit: limit})
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			result, err := stream.Recv()
			if err != nil {
				// Only here does the stream have trailers, and also if the
				// search has failed.
				*stats = StatsOf(stream.Trailer())
				if !errors.Is(err, io.EOF) { // io.EOF: the status is OK
					yield(nil, err)
				}
				return
			}
			if !yield(result, nil) {
				return // a break; another yield would panic
			}
		}
	}
}
