package htmlanswer

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// call makes one call of Count. The stream is nil if the call did not begin.
func call(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (grpc.ClientStream, []int64, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	values, err := service.Values(stream)
	return stream, values, err
}

// pause waits for a second, or until ctx ends. It returns false if ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(time.Second):
		return true
	case <-ctx.Done():
		return false
	}
}
