// Package abandonedstream stops reading a stream and does not cancel it.
//
// Symptom: the server's goroutines and memory grow, long after the clients
// had their answers. With MaxConcurrentStreams, new calls wait for ever.
//
// Cause: a stream lives until its context ends, its connection closes, or
// Recv returns an error. Nobody reads on, so the flow-control window fills
// up and the handler sleeps in Send; a handler that waits for news does not
// even notice. The client keeps a goroutine and the messages that came.
//
// Silence: vet's lostcancel looks for a cancel function that is not called;
// here there is none. The garbage collector ends nothing. And a handler that
// has little to send returns, so that a small test sees no leak.
//
// Fix: give the stream a context of its own and defer its cancel.
//
// Threads: grpc-go#1936, grpc-go#2015, grpc-go#4159.
package abandonedstream

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFind returns the first number for which ok is true.
func BrokenFind(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, ok func(int64) bool,
) (int64, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return 0, err
	}
	for {
		n, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		if ok(n.GetValue()) {
			return n.GetValue(), nil
		}
	}
}
