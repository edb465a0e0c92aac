// Package timeoutpermessage shows a timeout that ends healthy streams; see README.md.
package timeoutpermessage

import (
	"context"
	"errors"
	"io"
	"time"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle with each number that req asks for. It is meant to
// wait no longer than limit for each number.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration, handle func(int64),
) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		handle(n.GetValue())
	}
}
