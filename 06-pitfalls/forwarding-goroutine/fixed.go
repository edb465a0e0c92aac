package forwardinggoroutine

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns a channel of the numbers that req asks for. The last item
// before the channel closes has the error that ended the stream: io.EOF for OK.
// A caller that stops reading cancels ctx. After ctx has ended, the channel may
// close without the item that has the error.
func FixedCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (<-chan item, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	items := make(chan item)
	go func() {
		defer close(items)
		for {
			n, err := stream.Recv()
			select {
			case items <- item{n.GetValue(), err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return items, nil
}
