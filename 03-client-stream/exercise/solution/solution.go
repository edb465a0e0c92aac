// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"errors"
	"io"
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
	sum := &sensorsv1.Summary{}
	for {
		batch, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break // the half-close: only here is the report complete
		}
		if err != nil {
			return err // not the half-close: half a report must not be stored
		}
		// Each batch is added up when it arrives. Nothing grows with the
		// length of the report, and a refusal does not wait for its end.
		for _, r := range batch.GetReadings() {
			if err := add(sum, r); err != nil {
				return err // a later Send of the client returns io.EOF
			}
		}
	}
	if sum.GetCount() == 0 {
		return status.Error(codes.InvalidArgument, "readings: must not be empty")
	}
	s.Store(sum)
	return stream.SendAndClose(sum)
}

func add(sum *sensorsv1.Summary, r *sensorsv1.Reading) error {
	c := r.GetCelsius()
	// The condition names what is good, because < and > are false for NaN:
	// c < -100 || c > 100 would let NaN pass.
	if !(c >= -100 && c <= 100) {
		return status.Errorf(codes.InvalidArgument,
			"readings: reading %d: celsius must be from -100 to 100, got %v", sum.GetCount()+1, c)
	}
	if sum.GetCount() == 0 {
		sum.Min, sum.Max = c, c
	}
	sum.Count++
	sum.Min, sum.Max = min(sum.GetMin(), c), max(sum.GetMax(), c)
	return nil
}

// Send reports readings in batches of size, and returns the summary. The last
// batch may be smaller. Send stops when the server has refused a reading. The
// size must be at least 1.
func Send(
	ctx context.Context, c sensorsv1.SensorServiceClient, readings iter.Seq[*sensorsv1.Reading], size int,
) (*sensorsv1.Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream, also if readings panics
	stream, err := c.Report(ctx)
	if err != nil {
		return nil, err
	}
	batch := &sensorsv1.Batch{}
	for r := range readings {
		if batch.Readings = append(batch.Readings, r); len(batch.Readings) < size {
			continue
		}
		if err := stream.Send(batch); err != nil {
			return nil, reason(stream, err)
		}
		batch = &sensorsv1.Batch{} // a message must not be changed after Send
	}
	if len(batch.GetReadings()) > 0 {
		if err := stream.Send(batch); err != nil {
			return nil, reason(stream, err)
		}
	}
	return stream.CloseAndRecv() // half-closes, and waits for the summary
}

// reason returns why Send failed. io.EOF means only that the RPC has ended:
// CloseAndRecv returns the status.
func reason(stream grpc.ClientStreamingClient[sensorsv1.Batch, sensorsv1.Summary], err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if _, err = stream.CloseAndRecv(); err == nil { // a summary without the last readings
		return status.Error(codes.DataLoss, "summary: must come after the half-close")
	}
	return err
}
