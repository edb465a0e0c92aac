// Package bubble holds the code of the page docs/testing-in-a-bubble.md.
package bubble

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A Server counts and echoes. Its methods may be called concurrently.
type Server struct {
	pitfallsv1.UnimplementedPitfallServiceServer

	running atomic.Int32
}

// Count sends the numbers from 1 to req.To, one each second.
func (s *Server) Count(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	s.running.Add(1)
	defer s.running.Add(-1)
	for n := range req.GetTo() {
		select {
		case <-time.After(time.Second):
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		if err := stream.Send(&pitfallsv1.Number{Value: n + 1}); err != nil {
			return err
		}
	}
	return nil
}

// Running returns how many handlers of Count have not returned.
func (s *Server) Running() int { return int(s.running.Load()) }

// Echo sends each number back until the client half-closes.
func (s *Server) Echo(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the client has half-closed
		}
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
