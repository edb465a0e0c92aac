// Package concurrentclosesend calls CloseSend beside a goroutine that sends.
//
// Symptom: "Internal: SendMsg called after CloseSend", or "stream terminated
// by RST_STREAM with error code: STREAM_CLOSED"; the answers are gone.
//
// Cause: a Send that comes after CloseSend is an error of the client, and
// such an error ends the whole RPC, answers included. A Send that waits for
// flow control while CloseSend overtakes it does worse: it returns nil, and
// its DATA frame follows the one with END_STREAM, so the server resets the
// stream.
//
// Silence: the compiler and vet do not know that the two exclude each
// other. The race detector reports it, if Send and CloseSend meet in a test.
//
// Fix: the goroutine that sends also calls CloseSend, after its last Send.
//
// Threads: grpc-go#2927, grpc-go#7167.
package concurrentclosesend

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the values that arrive until stop is closed, and returns
// what comes back.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	values <-chan int64, stop <-chan struct{},
) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		<-stop
		_ = stream.CloseSend() // always nil
	}()
	go func() {
		for v := range values {
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				return // Recv has the status
			}
		}
	}()
	return service.Values(stream)
}
