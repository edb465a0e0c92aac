// Package service implements the PitfallService that the pitfalls call. Where
// the mistake is in a handler, a pitfall replaces that handler.
package service

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// MaxPadding is the limit for the padding that Count adds to a number, in
// bytes. It is more than a client accepts by default, which is 4 MiB.
const MaxPadding = 5 << 20

// A Server is a PitfallService. The zero value does what the proto says, and
// each field that is not nil replaces a handler. Its methods may be called
// concurrently; the fields must not change meanwhile.
type Server struct {
	pitfallsv1.UnimplementedPitfallServiceServer

	// OnCount replaces Count.
	OnCount func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error
	// OnSum replaces Sum.
	OnSum func(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error
	// OnEcho replaces Echo.
	OnEcho func(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error

	open atomic.Int64
}

// Register adds s to a server.
func (s *Server) Register(r grpc.ServiceRegistrar) { pitfallsv1.RegisterPitfallServiceServer(r, s) }

// OpenStreams returns how many handlers of streams have not returned.
func (s *Server) OpenStreams() int64 { return s.open.Load() }

// Ping returns OpenStreams to a client.
func (s *Server) Ping(context.Context, *pitfallsv1.PingRequest) (*pitfallsv1.PingResponse, error) {
	return &pitfallsv1.PingResponse{OpenStreams: s.OpenStreams()}, nil
}

// Count calls OnCount, or sends the numbers from 1 on.
//
// InvalidArgument: padding is out of range, or to is, if OnCount is nil.
func (s *Server) Count(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	s.open.Add(1)
	defer s.open.Add(-1)
	if n := req.GetPadding(); n < 0 || n > MaxPadding {
		return status.Errorf(codes.InvalidArgument, "padding: must be 0 to %d bytes, got %d", MaxPadding, n)
	}
	if s.OnCount != nil {
		return s.OnCount(req, stream)
	}
	if req.GetTo() < 0 {
		return status.Errorf(codes.InvalidArgument, "to: must be at least 0, got %d", req.GetTo())
	}
	padding := make([]byte, req.GetPadding())
	for i := int64(1); req.GetTo() == 0 || i <= req.GetTo(); i++ {
		if err := stream.Send(&pitfallsv1.Number{Value: i, Padding: padding}); err != nil {
			return err
		}
	}
	return nil
}

// Sum calls OnSum, or adds up the numbers that it receives.
func (s *Server) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	s.open.Add(1)
	defer s.open.Add(-1)
	if s.OnSum != nil {
		return s.OnSum(stream)
	}
	response := &pitfallsv1.SumResponse{}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(response)
		}
		if err != nil {
			return err
		}
		response.Sum += n.GetValue()
		response.Count++
	}
}

// Echo calls OnEcho, or sends back the numbers that it receives.
func (s *Server) Echo(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	s.open.Add(1)
	defer s.open.Add(-1)
	if s.OnEcho != nil {
		return s.OnEcho(stream)
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}

// Values receives until the stream ends, and returns the values that arrived.
// The error is nil if the stream ended with OK.
func Values(stream interface {
	Recv() (*pitfallsv1.Number, error)
}) ([]int64, error) {
	var values []int64
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		values = append(values, n.GetValue())
	}
}
