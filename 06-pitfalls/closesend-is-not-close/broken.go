// Package closesendisnotclose shows a Close that leaves the stream open; see README.md.
package closesendisnotclose

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenFeed is a stream of numbers. One goroutine may call Recv while another
// calls Close.
type BrokenFeed struct {
	grpc.ServerStreamingClient[pitfallsv1.Number]
}

// BrokenOpen opens a feed of the numbers that req asks for. The caller
// closes it.
func BrokenOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (*BrokenFeed, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	return &BrokenFeed{stream}, nil
}

// Close is meant to end the feed. It always returns nil.
func (f *BrokenFeed) Close() error {
	return f.CloseSend()
}
