// Package grader grades the exercise of chapter 01.
package grader

import (
	"context"
	"iter"
	"time"

	"example.com/streams/01-unary/exercise/journal"
	journalv1 "example.com/streams/01-unary/exercise/journal/v1"
	"example.com/streams/internal/grade"
)

type (
	newServer = func(*journal.Journal) journalv1.JournalServiceServer
	follow    = func(context.Context, journalv1.JournalServiceClient, uint64, time.Duration) iter.Seq2[*journalv1.Line, error]
)

// Exercise returns the checks of a server and a client.
func Exercise(server newServer, client follow) grade.Exercise {
	return grade.Exercise{Name: "01-unary", Checks: []grade.Check{
		{
			Says:   "GetPage returns at most limit of the lines that follow after, the next after, and whether there is more.",
			Reread: "The smallest one", Hint: "A page is wrong",
			Run: func(t *grade.T) { pages(t, server) },
		},
		{
			Says:   "GetPage refuses a limit that is not from 1 to 100 with InvalidArgument, and names the field and its limits.",
			Reread: "An error needs a code", Hint: "A wrong request is not refused",
			Run: func(t *grade.T) { limits(t, server) },
		},
		{
			Says:   "GetPage refuses a position that is ahead, or no longer held, with OutOfRange, and names the newest or the oldest line.",
			Reread: "An error needs a code", Hint: "A position is not refused, or a good one is",
			Run: func(t *grade.T) { positions(t, server); dropped(t, server) },
		},
		{
			Says:   "GetPage stops reading when its context ends, and returns why the context ended.",
			Reread: "A client may have left", Hint: "GetPage works on for nobody",
			Run: func(t *grade.T) { abandoned(t, server) },
		},
		{
			Says:   "Follow yields each line once and in order, page by page without a wait, and asks again after each interval.",
			Reread: "The second limit: polling", Hint: "Lines are late, missing or repeated",
			Run: func(t *grade.T) { polls(t, client) },
		},
		{
			Says:   "Follow asks for the same page again an interval after Unavailable, and ends with any other status.",
			Reread: "An error needs a code", Hint: "An error ends Follow, or costs its position",
			Run: func(t *grade.T) { outages(t, client); failures(t, client) },
		},
		{
			Says:   "Follow ends at once when its context ends while it waits for a page or for the interval, and yields why the context ended.",
			Reread: "A client may have left", Hint: "Follow does not end with its context",
			Run: func(t *grade.T) { contexts(t, client) },
		},
		{
			Says:   "Follow returns when the caller breaks. Another loop over the iterator begins with after again.",
			Reread: "The second limit: polling", Hint: "Follow goes on after a break",
			Run: func(t *grade.T) { breaks(t, client) },
		},
	}}
}
