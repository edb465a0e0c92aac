// Package exercise is yours to complete. README.md says what it must do.
package exercise

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sensorsv1 "example.com/streams/03-client-stream/exercise/sensors/v1"
)

// Server implements SensorService.
type Server struct {
	sensorsv1.UnimplementedSensorServiceServer

	// Store is called with the summary of each complete report.
	Store func(*sensorsv1.Summary)
}

// Report adds up the readings of a stream. See the proto for its codes.
func (s *Server) Report(stream grpc.ClientStreamingServer[sensorsv1.Batch, sensorsv1.Summary]) error {
	return status.Error(codes.Unimplemented, "Report: not written yet")
}

// Send reports readings in batches of size, and returns the summary. The last
// batch may be smaller. Send stops when the server has refused a reading. The
// size must be at least 1.
func Send(
	ctx context.Context, c sensorsv1.SensorServiceClient, readings iter.Seq[*sensorsv1.Reading], size int,
) (*sensorsv1.Summary, error) {
	return nil, status.Error(codes.Unimplemented, "Send: not written yet")
}
