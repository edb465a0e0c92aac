// Package grader grades the exercise of chapter 03.
package grader

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	sensorsv1 "example.com/streams/03-client-stream/exercise/sensors/v1"
	"example.com/streams/internal/grade"
)

type (
	newServer = func(store func(*sensorsv1.Summary)) sensorsv1.SensorServiceServer
	send      = func(context.Context, sensorsv1.SensorServiceClient, iter.Seq[*sensorsv1.Reading], int) (*sensorsv1.Summary, error)
	reports   = grpc.ClientStreamingServer[sensorsv1.Batch, sensorsv1.Summary]
)

// Exercise returns the checks of a server and a client.
func Exercise(server newServer, client send) grade.Exercise {
	return grade.Exercise{Name: "03-client-stream", Checks: []grade.Check{
		{
			Says:   "after the half-close, Report returns a summary of all readings of all batches.",
			Reread: "The smallest one", Hint: "The summary is wrong, or never comes",
			Run: func(t *grade.T) { summary(t, server) },
		},
		{
			Says:   "Report stores a summary when the client half-closes, before it answers, and not when the client cancels.",
			Reread: "Half a file", Hint: "A canceled report is stored",
			Run: func(t *grade.T) { stored(t, server) },
		},
		{
			Says:   "Report refuses a bad reading, and a report without readings, with InvalidArgument.",
			Reread: "The reason that got lost", Hint: "A bad reading passes, or is refused too late",
			Run: func(t *grade.T) { refused(t, server) },
		},
		{
			Says:   "Send sends batches of the given size, and the rest in a smaller one, and half-closes.",
			Reread: "The smallest one", Hint: "Send never returns, or readings are missing",
			Run: func(t *grade.T) { batches(t, client) },
		},
		{
			Says:   "Send sends a batch as soon as it is full, in memory that does not grow with the report.",
			Reread: "A file larger than a message", Hint: "Send collects all readings before the first message",
			Run: func(t *grade.T) { constantMemory(t, client) },
		},
		{
			Says:   "Send stops at a refusal, and returns its status.",
			Reread: "The reason that got lost", Hint: "Send returns EOF",
			Run: func(t *grade.T) { reason(t, client) },
		},
		{
			Says:   "Send does not trust a summary that comes before the half-close.",
			Reread: "The reason that got lost", Hint: "Send trusts a summary that comes too early",
			Run: func(t *grade.T) { early(t, client) },
		},
		{
			Says:   "Send returns when its context ends.",
			Reread: "The reason that got lost", Hint: "Send does not return when its context ends",
			Run: func(t *grade.T) { canceled(t, client) },
		},
	}}
}
