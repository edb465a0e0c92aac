package closesendisnotclose

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A FixedFeed is a stream of numbers. One goroutine may call Recv while another
// calls Close.
type FixedFeed struct {
	grpc.ServerStreamingClient[pitfallsv1.Number]
	cancel context.CancelFunc
}

// FixedOpen opens a feed of the numbers that req asks for. The caller
// closes it.
func FixedOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (*FixedFeed, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.Count(ctx, req)
	if err != nil {
		cancel()
		return nil, err
	}
	return &FixedFeed{stream, cancel}, nil
}

// Close ends the feed. It always returns nil.
func (f *FixedFeed) Close() error {
	f.cancel()
	return nil
}
