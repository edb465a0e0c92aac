// Package messagereuse changes a message that it has already sent.
//
// Symptom: the server gets the right values, yet the trace, or the audit log,
// shows the last one again and again.
//
// Cause: Send encodes the message before it returns, so that the wire is
// right. But it also hands the message itself, not a copy, to every stats
// handler and stream interceptor. Those may keep it and look later, in
// batches or in another goroutine, and then find what you put there since.
//
// Silence: without such an observer nothing is wrong, and the first one may
// come years later, from another team. The race detector reports it only if
// the observer looks in another goroutine.
//
// Fix: a new message for each Send. If that shows in a profile, reuse what is
// expensive to make, never the message that was sent.
//
// Threads: grpc-go#5857, grpc-go#8186.
package messagereuse

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends the values and returns their sum.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	n := new(pitfallsv1.Number)
	for _, v := range values {
		n.Value = v
		if err := stream.Send(n); err != nil {
			break // CloseAndRecv has the status
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
