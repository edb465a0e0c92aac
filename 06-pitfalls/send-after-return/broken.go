// Package sendafterreturn shows a handler that returns before it has sent; see README.md.
package sendafterreturn

import (
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount sends a number every 100 ms. It calls failed with the error of
// the first Send that fails.
func BrokenCount(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
	failed func(error),
) error {
	go func() {
		for i := range req.GetTo() {
			time.Sleep(100 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				failed(err)
				return
			}
		}
	}()
	return nil
}
