// Package defercancel shows a function that cancels the stream it returns; see README.md.
package defercancel

import (
	"context"
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenOpen opens a stream of the numbers that req asks for. Opening may take
// as long as limit. The caller cancels ctx after reading.
func BrokenOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration,
) (grpc.ServerStreamingClient[pitfallsv1.Number], error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.Count(ctx, req)
}
