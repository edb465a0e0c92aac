package demo

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// metadataKey holds which variant's server a call wants, for example
// "broken/missing-closesend".
const metadataKey = "pitfall"

// A Server is the PitfallService of all demos. The metadata of a call says
// whose handlers it wants; without it, a call gets a plain service.Server.
// Server's methods may be called concurrently.
type Server struct {
	pitfallsv1.UnimplementedPitfallServiceServer
	variants map[string]*service.Server
}

// NewServer returns a server for the demos, whose keys are the names of the
// pitfalls.
func NewServer(demos map[string]Demo) *Server {
	s := &Server{variants: map[string]*service.Server{"": {}}}
	for name, d := range demos {
		s.variants["broken/"+name] = d.Broken.server()
		s.variants["fixed/"+name] = d.Fixed.server()
	}
	return s
}

// Ping implements PitfallService.
//
// NotFound: no demo has this name. The other methods return it too.
func (s *Server) Ping(ctx context.Context, req *pitfallsv1.PingRequest) (*pitfallsv1.PingResponse, error) {
	v, err := s.variant(ctx)
	if err != nil {
		return nil, err
	}
	return v.Ping(ctx, req)
}

// Count implements PitfallService.
func (s *Server) Count(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	v, err := s.variant(stream.Context())
	if err != nil {
		return err
	}
	return v.Count(req, stream)
}

// Sum implements PitfallService.
func (s *Server) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	v, err := s.variant(stream.Context())
	if err != nil {
		return err
	}
	return v.Sum(stream)
}

// Echo implements PitfallService.
func (s *Server) Echo(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	v, err := s.variant(stream.Context())
	if err != nil {
		return err
	}
	return v.Echo(stream)
}

func (s *Server) variant(ctx context.Context) (*service.Server, error) {
	key := strings.Join(metadata.ValueFromIncomingContext(ctx, metadataKey), ",")
	if v, ok := s.variants[key]; ok {
		return v, nil
	}
	return nil, status.Errorf(codes.NotFound, "%s: must name a demo, got %q", metadataKey, key)
}
