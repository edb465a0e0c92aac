// Package htmlanswer shows a client that gives up because of a proxy's HTML page; see README.md.
package htmlanswer

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns the numbers that req asks for. It is meant to call again
// while the server is away, with pauses of a second, until ctx ends.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) ([]int64, error) {
	for {
		_, values, err := call(ctx, c, req)
		if status.Code(err) != codes.Unavailable {
			return values, err
		}
		if !pause(ctx) {
			return nil, err
		}
	}
}
