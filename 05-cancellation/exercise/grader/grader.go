// Package grader grades the exercise of chapter 05.
package grader

import (
	"google.golang.org/grpc"

	feedv1 "example.com/streams/05-cancellation/exercise/feed/v1"
	"example.com/streams/internal/grade"
)

// A Relay is what the exercise repairs.
type Relay interface {
	feedv1.FeedServiceServer
	Drain()
}

type (
	newRelay = func(upstream feedv1.FeedServiceClient) Relay
	items    = grpc.ServerStreamingServer[feedv1.Item]
)

// Exercise returns the checks of a relay. They call it concurrently.
func Exercise(relay newRelay) grade.Exercise {
	return grade.Exercise{Name: "05-cancellation", Checks: []grade.Check{
		{
			Says:   "a cancel of the client ends the call to the upstream at once.",
			Reread: "The relay that forgets its context", Hint: "The call to the upstream goes on after the client has left",
			Run: func(t *grade.T) { canceled(t, relay) },
		},
		{
			Says:   "the upstream sees what is left of the client's deadline, and no other deadline.",
			Reread: "The deadline that is set anew", Hint: "The upstream sees a wrong deadline",
			Run: func(t *grade.T) { deadline(t, relay) },
		},
		{
			Says:   "Follow returns the upstream's status unchanged, except for Unavailable.",
			Reread: "The smallest one", Hint: "The upstream's status gets lost or is changed",
			Run: func(t *grade.T) { statuses(t, relay) },
		},
		{
			Says:   "when Send fails, Follow returns the error, which ends the call to the upstream.",
			Reread: "The smallest one", Hint: "Follow goes on after Send has failed",
			Run: func(t *grade.T) { sendFails(t, relay) },
		},
		{
			Says:   "when the upstream fails with Unavailable, Follow resumes after the last item, and sends each item at once.",
			Reread: "Come back", Hint: "Items are missing, late, or come twice",
			Run: func(t *grade.T) { resumed(t, relay) },
		},
		{
			Says:   "the waits between calls to the upstream grow to at most 30 s, and begin anew after an item.",
			Reread: "Come back", Hint: "There are too many calls, or too few",
			Run: func(t *grade.T) { waits(t, relay) },
		},
		{
			Says:   "a wait ends at once when the client cancels.",
			Reread: "Come back", Hint: "A wait goes on after the client has left",
			Run: func(t *grade.T) { waitEnds(t, relay) },
		},
		{
			Says:   "Drain ends all calls at once, with Unavailable and a text that says to resume.",
			Reread: "Shut down", Hint: "Drain does not end the calls, or the client sees another status",
			Run: func(t *grade.T) { drained(t, relay) },
		},
	}}
}
