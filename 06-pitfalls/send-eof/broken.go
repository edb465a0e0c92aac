// Package sendeof takes the io.EOF of Send for the reason.
//
// Symptom: the client reports "EOF"; why the server refused is nowhere.
//
// Cause: io.EOF from Send says only that the RPC is over. The status came
// in the server's trailers and waits for the call that reads: Recv, or
// CloseAndRecv. A Send that fails on the client's own side, say because the
// message is too large, returns its status itself.
//
// Silence: the error is checked, so neither the compiler nor a linter
// objects. A short stream hides it too: its last Send is over before the
// refusal is back, and CloseAndRecv then returns the status.
//
// Fix: on io.EOF stop sending, and read the status from CloseAndRecv or Recv.
//
// Threads: grpc-go#1319, grpc-go#8190.
package sendeof

import (
	"context"
	"fmt"
	"iter"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum sends the values and returns their sum.
func BrokenSum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values iter.Seq[int64]) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			return 0, fmt.Errorf("send %d: %w", v, err)
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}
