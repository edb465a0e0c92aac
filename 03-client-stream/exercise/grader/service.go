package grader

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	sensorsv1 "example.com/streams/03-client-stream/exercise/sensors/v1"
	"example.com/streams/internal/grade"
)

// A keeper is a client that keeps the batches that it sends, as an interceptor
// may do.
type keeper struct {
	sensorsv1.SensorServiceClient
	sent, copies []*sensorsv1.Batch
}

func (k *keeper) Report(
	ctx context.Context, opts ...grpc.CallOption,
) (grpc.ClientStreamingClient[sensorsv1.Batch, sensorsv1.Summary], error) {
	stream, err := k.SensorServiceClient.Report(ctx, opts...)
	return keptStream{stream, k}, err
}

// changed reports whether a batch is not what it was when it was sent.
func (k *keeper) changed() bool {
	return !slices.EqualFunc(k.sent, k.copies, func(a, b *sensorsv1.Batch) bool { return proto.Equal(a, b) })
}

type keptStream struct {
	grpc.ClientStreamingClient[sensorsv1.Batch, sensorsv1.Summary]
	k *keeper
}

func (s keptStream) Send(batch *sensorsv1.Batch) error {
	s.k.sent, s.k.copies = append(s.k.sent, batch), append(s.k.copies, proto.CloneOf(batch))
	return s.ClientStreamingClient.Send(batch)
}

// A punctual server sees that a deadline has passed before it sees that the
// client has reset the stream because of it. Without this, either is first.
type punctual struct{ sensorsv1.SensorServiceServer }

func (p punctual) Report(stream reports) error {
	return p.SensorServiceServer.Report(punctualStream{stream})
}

type punctualStream struct{ reports }

func (s punctualStream) Recv() (*sensorsv1.Batch, error) {
	batch, err := s.reports.Recv()
	deadline, ok := s.Context().Deadline()
	if err != nil && !errors.Is(err, io.EOF) && ok && !time.Now().Before(deadline) {
		return nil, status.FromContextError(context.DeadlineExceeded).Err()
	}
	return batch, err
}

// A stub is a SensorService whose Report is OnReport.
type stub struct {
	sensorsv1.UnimplementedSensorServiceServer
	OnReport func(reports) error
}

func (s stub) Report(stream reports) error { return s.OnReport(stream) }

func dial(t *grade.T, srv sensorsv1.SensorServiceServer) sensorsv1.SensorServiceClient {
	return sensorsv1.NewSensorServiceClient(t.Serve(func(s grpc.ServiceRegistrar) {
		sensorsv1.RegisterSensorServiceServer(s, srv)
	}))
}
