// Package missingclosesend forgets to end its half of the stream.
//
// Symptom: all answers are there, and yet the call never ends.
//
// Cause: the server answers until its Recv returns io.EOF, and that is what
// CloseSend sends: an empty DATA frame with END_STREAM, the half-close.
// Without it the server waits for the next message and the client for the
// server's status, both for ever. No timeout is set unless you set one; the
// wait ends only with a deadline, a cancel, or the connection.
//
// Silence: a stream may stay open for hours on purpose, so neither the
// compiler nor vet can know that this one should not. Nothing races.
//
// Fix: call CloseSend after the last Send. CloseAndRecv, which a
// client-streaming call ends with, calls it for you; RecvMsg does not.
//
// Threads: grpc-go#6457.
package missingclosesend

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho sends the values and returns what comes back.
func BrokenEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // Recv has the status
		}
	}
	return service.Values(stream)
}

// BrokenSum sends the values and returns their sum.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // RecvMsg has the status
		}
	}
	response := new(pitfallsv1.SumResponse)
	err = stream.RecvMsg(response)
	return response.GetSum(), err
}
