package heartbeatnotping

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedWatch sends the numbers, which are not 0, until the channel is
// closed or the call ends. At each interval it also sends 0: a heartbeat, which
// the client ignores.
func FixedWatch(
	numbers <-chan int64, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	heartbeat := time.NewTicker(interval)
	defer heartbeat.Stop()
	for {
		var next pitfallsv1.Number
		select {
		case v, ok := <-numbers:
			if !ok {
				return nil
			}
			next.Value = v
		case <-heartbeat.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		if err := stream.Send(&next); err != nil {
			return err
		}
	}
}
