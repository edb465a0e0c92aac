// Package gracefulstop shows a server that does not stop; see README.md.
package gracefulstop

import (
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type brokenService struct{}

// BrokenTicker returns a service that sends a number each second.
func BrokenTicker() ticker {
	return &brokenService{}
}

// Count sends a number each second until the call ends.
func (t *brokenService) Count(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := int64(1); ; i++ {
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
	}
}

// Shutdown stops the server once the open calls have finished.
func (t *brokenService) Shutdown(s *grpc.Server) error {
	s.GracefulStop()
	return nil
}
