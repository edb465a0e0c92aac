// Package heartbeatnotping shows a quiet stream that PINGs do not keep open; see README.md.
package heartbeatnotping

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenWatch sends the numbers, which are not 0, until the channel is
// closed or the call ends. Both sides send PINGs while there is no number.
func BrokenWatch(
	numbers <-chan int64, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for {
		var next pitfallsv1.Number
		select {
		case v, ok := <-numbers:
			if !ok {
				return nil
			}
			next.Value = v
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		if err := stream.Send(&next); err != nil {
			return err
		}
	}
}
