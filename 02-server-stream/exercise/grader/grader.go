// Package grader grades the exercise of chapter 02.
package grader

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	searchv1 "example.com/streams/02-server-stream/exercise/search/v1"
	"example.com/streams/internal/grade"
)

type (
	documents = iter.Seq2[*searchv1.Document, error]
	newServer = func(documents) searchv1.SearchServiceServer
	results   = grpc.ServerStreamingServer[searchv1.Result]
	stats     struct{ Searched, Matched int }
	sequence  = iter.Seq2[*searchv1.Result, error]
	// The second result of find is for the time after a loop.
	find = func(ctx context.Context, c searchv1.SearchServiceClient, text string, limit int32) (sequence, func() stats)
)

// Exercise returns the checks of a server, whose method is called
// concurrently, and of a client.
func Exercise[S ~struct{ Searched, Matched int }](
	server newServer,
	client func(context.Context, searchv1.SearchServiceClient, string, int32, *S) sequence,
) grade.Exercise {
	find := func(ctx context.Context, c searchv1.SearchServiceClient, text string, limit int32) (sequence, func() stats) {
		s := new(S)
		return client(ctx, c, text, limit, s), func() stats { return stats(*s) }
	}
	return grade.Exercise{Name: "02-server-stream", Checks: []grade.Check{
		{
			Says:   "Search sends a result for each document that matches, as soon as it is found.",
			Reread: "The smallest one", Hint: "Results are missing, or come late",
			Run: func(t *grade.T) { found(t, server); compared(t, server) },
		},
		{
			Says:   "Search refuses a limit that is not from 1 to 1000 with InvalidArgument, and names the field.",
			Reread: "One log, and a cursor for each follower", Hint: "A limit is refused, or passes, by mistake",
			Run: func(t *grade.T) { refused(t, server) },
		},
		{
			Says:   "Search returns with the result that reaches the limit, and reads no other document.",
			Reread: "The smallest one", Hint: "The search goes on after the limit",
			Run: func(t *grade.T) { limited(t, server) },
		},
		{
			Says:   "The trailer counts the documents of this search, also if the search fails.",
			Reread: "A report in chunks", Hint: "The trailer or the status is wrong",
			Run: func(t *grade.T) { counted(t, server) },
		},
		{
			Says:   "Search stops reading documents when the client has left.",
			Reread: "Leave, resume, shut down", Hint: "The search goes on without its client",
			Run: func(t *grade.T) { left(t, server) },
		},
		{
			Says:   "Each loop over Find's sequence makes one call, and gets each result when it arrives.",
			Reread: "Leave, resume, shut down", Hint: "The loop gets its results late, or not at all",
			Run: func(t *grade.T) { arrives(t, find) },
		},
		{
			Says:   "Find yields the status of a failure in the last pair, and sets stats from the trailer.",
			Reread: "A report in chunks", Hint: "The last pair or stats is wrong",
			Run: func(t *grade.T) { ended(t, find) },
		},
		{
			Says:   "A break cancels Find's RPC. Find returns when its context ends, and sets no timeout of its own.",
			Reread: "Leave, resume, shut down", Hint: "A break or a cancel does not end the RPC",
			Run: func(t *grade.T) { broken(t, find); canceled(t, find); lasts(t, find) },
		},
	}}
}
