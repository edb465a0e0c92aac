// Package sendisnotdelivery takes a Send that returns nil for a delivery.
//
// Symptom: the client sent everything without an error, and the server has
// only some of it.
//
// Cause: Send returns once the message is in a buffer of the client. What
// is still there, in the sockets, or unread in the server when the RPC is
// cancelled is thrown away; CloseSend is queued behind it and waits for
// nobody. Only the status says that the handler has read to the end.
//
// Silence: every error is checked and every resource is released. When the
// server is quick enough, nothing is missing.
//
// Fix: wait for the server's answer: CloseAndRecv, or Recv until io.EOF.
//
// Threads: grpc-go#2159, grpc-go#1714.
package sendisnotdelivery

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenReport sends the values to the server.
func BrokenReport(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}
