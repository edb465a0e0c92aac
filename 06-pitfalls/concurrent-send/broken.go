// Package concurrentsend sends on one stream from two goroutines.
//
// Symptom: it works for months. Then a reader is slow, and a Send never
// returns; or only the heartbeats still arrive. No panic, no garbage.
//
// Cause: a stream may queue 64 KiB; then Send sleeps. What the peer takes
// gives quota back, and when that turns positive one token wakes one
// sleeper (writeQuota in internal/transport/flowcontrol.go). If its message
// is small the quota stays positive, does not turn again, and the others
// sleep on beside a free stream.
//
// Silence: the compiler and vet do not know that Send has one caller at a
// time. The quota is atomic and the queue is locked, so nothing races.
//
// Fix: one goroutine sends what the others hand to it; or a lock.
//
// Threads: grpc-go#948, grpc-go#2094, grpc-go#5393.
package concurrentsend

import (
	"context"
	"iter"
	"sync"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends what the sources yield, all of them at once.
func BrokenSum(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, sources ...iter.Seq[*pitfallsv1.Number],
) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	var workers sync.WaitGroup
	for _, source := range sources {
		workers.Go(func() {
			for n := range source {
				if err := stream.Send(n); err != nil {
					return // CloseAndRecv has the status
				}
			}
		})
	}
	workers.Wait()
	return stream.CloseAndRecv()
}

// BrokenCount sends the numbers, and beside them heartbeats.
func BrokenCount(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	ctx, stop := context.WithCancel(stream.Context())
	var heart sync.WaitGroup
	heart.Go(func() { beat(ctx, stream.Send) })
	defer heart.Wait()
	defer stop()
	return count(req, stream.Send)
}
