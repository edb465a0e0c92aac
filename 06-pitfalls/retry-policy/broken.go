// Package retrypolicy shows a stream that its retry policy does not retry; see README.md.
package retrypolicy

import (
	"context"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns the numbers from 1 to to. The service config of c has
// a retry policy. While no server can be reached, BrokenCount waits, until ctx is
// done.
func BrokenCount(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) ([]int64, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}
