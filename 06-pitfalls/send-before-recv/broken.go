// Package sendbeforerecv sends everything before it reads anything.
//
// Symptom: a call with a hundred messages works, one with a thousand hangs.
//
// Cause: what nobody reads waits in the flow-control windows, in the send
// buffers and in the sockets, of both directions. Once the way back is full,
// the server's Send sleeps; the server reads no more, the way there fills
// up, and the client's Send sleeps too. Only a deadline, a cancel or the
// connection ends that. With windows of 64 KiB, 255 numbers of 1 KiB fit.
// By default the windows grow with the traffic, and how many fit varies.
//
// Silence: each half is correct, and small tests stay below the limit.
//
// Fix: send in one goroutine and read in another.
//
// Threads: grpc-go#3586.
package sendbeforerecv

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the numbers and returns the values that come back.
func BrokenEcho(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, numbers ...*pitfallsv1.Number,
) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if err := stream.Send(n); err != nil {
			break // Recv has the status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return service.Values(stream)
}
