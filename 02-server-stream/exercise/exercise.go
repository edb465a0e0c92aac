// Package exercise is yours to complete. README.md says what it must do.
package exercise

import (
	"context"
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
	return status.Error(codes.Unimplemented, "Search: not written yet")
}

// Find yields the results of a search as they arrive. Each loop over the
// sequence is one RPC, which a break cancels. If the RPC fails, the last pair
// is nil and the status. When Recv reports the end of the RPC, Find sets
// stats to what its trailer says.
func Find(
	ctx context.Context, c searchv1.SearchServiceClient, text string, limit int32, stats *Stats,
) iter.Seq2[*searchv1.Result, error] {
	return func(yield func(*searchv1.Result, error) bool) {
		yield(nil, status.Error(codes.Unimplemented, "Find: not written yet"))
	}
}
