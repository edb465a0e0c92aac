// Package closesendisnotclose takes CloseSend for the end of the stream.
//
// Symptom: the feed is closed, and its numbers go on arriving; the server
// keeps the handler.
//
// Cause: CloseSend closes one half, the client's. It tells the server that
// no more messages will come, and the server may answer for as long as it
// likes. In a server-streaming call it does nothing at all: the generated
// code has closed that half with the request.
//
// Silence: CloseSend is named like a clean-up and always returns nil. A
// handler that echoes until io.EOF does end by it, which hides the mistake.
//
// Fix: keep the cancel function of the stream's context, and call that.
//
// Threads: grpc-go#990, grpc-go#3909.
package closesendisnotclose

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFeed is a stream of numbers. Close it.
type BrokenFeed struct {
	stream grpc.ServerStreamingClient[pitfallsv1.Number]
}

// BrokenOpen opens a feed of the numbers that req asks for.
func BrokenOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (*BrokenFeed, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	return &BrokenFeed{stream}, nil
}

// Next waits for the next number.
func (f *BrokenFeed) Next() (int64, error) {
	n, err := f.stream.Recv()
	return n.GetValue(), err
}

// Close ends the feed.
func (f *BrokenFeed) Close() error {
	return f.stream.CloseSend()
}
