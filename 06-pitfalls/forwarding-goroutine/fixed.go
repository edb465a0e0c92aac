package forwardinggoroutine

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns the numbers that req asks for, and at last the error
// that ended them. Cancel ctx to give up.
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
