// Package defercancel cancels a stream in the function that returns it.
//
// Symptom: the stream opens, and its first Recv returns "Canceled: context
// canceled", though nobody cancelled.
//
// Cause: the context of a call is the life of its stream, not of its
// opening. A deferred cancel runs when the function returns, and what it
// returns is a stream that has just been reset. A longer timeout changes
// nothing; without the defer it would end the stream when it runs out.
//
// Silence: vet's lostcancel asks for that very defer. For a unary call it is
// right, since such a call is over when the function returns.
//
// Fix: leave the cancel to the caller, who knows when the stream is read. A
// timer limits the opening alone.
//
// Threads: grpc-go#1877.
package defercancel

import (
	"context"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenOpen opens a stream of the numbers that req asks for, which may take
// as long as the limit. Cancel ctx when you have read enough.
func BrokenOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration,
) (grpc.ServerStreamingClient[pitfallsv1.Number], error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.Count(ctx, req)
}
