// Package uninterruptiblerecv expects a context to end the Recv of a
// handler.
//
// Symptom: sessions have a limit, and those of silent clients outlive it
// for days; a shutdown waits for them.
//
// Cause: Recv on the server listens to the stream's own context, which the
// client or the connection ends. A context that the handler derives from it
// is unknown to Recv, and there is no SetReadDeadline. Only the return of
// the handler ends a Recv of its own, which must then be in a goroutine.
//
// Silence: deriving a context with a limit is right everywhere else, and
// clients that send something every now and then meet the limit.
//
// Fix: Recv in a goroutine, select on the limit, and return.
//
// Threads: grpc-go#465, grpc-go#3909.
package uninterruptiblerecv

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends back what it gets, for no longer than the limit.
func BrokenEcho(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], limit time.Duration,
) error {
	ctx, cancel := context.WithTimeout(stream.Context(), limit)
	defer cancel()
	for ctx.Err() == nil {
		n, err := stream.Recv()
		if err != nil {
			return end(err)
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	return status.FromContextError(ctx.Err()).Err()
}
