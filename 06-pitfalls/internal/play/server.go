package play

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

const (
	broken = "broken"
	fixed  = "fixed"
)

// host is the :authority by which a call says whose handlers it wants.
func host(which, name string) string { return which + "." + name }

// A Server is the PitfallService of every side at once. Each is a virtual
// host; any other host gets the plain service.
type Server struct {
	pitfallsv1.UnimplementedPitfallServiceServer
	plain service.Server
	hosts map[string]*service.Server
}

// NewServer returns a server for the pitfalls.
func NewServer(pitfalls []Pitfall) *Server {
	s := &Server{hosts: map[string]*service.Server{}}
	for _, p := range pitfalls {
		s.hosts[host(broken, p.Name)] = p.Broken.server()
		s.hosts[host(fixed, p.Name)] = p.Fixed.server()
	}
	return s
}

// Ping implements PitfallService.
func (s *Server) Ping(ctx context.Context, req *pitfallsv1.PingRequest) (*pitfallsv1.PingResponse, error) {
	impl, err := s.pick(ctx)
	if err != nil {
		return nil, err
	}
	return impl.Ping(ctx, req)
}

// Count implements PitfallService.
func (s *Server) Count(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	impl, err := s.pick(stream.Context())
	if err != nil {
		return err
	}
	return impl.Count(req, stream)
}

// Sum implements PitfallService.
func (s *Server) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	impl, err := s.pick(stream.Context())
	if err != nil {
		return err
	}
	return impl.Sum(stream)
}

// Echo implements PitfallService.
func (s *Server) Echo(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	impl, err := s.pick(stream.Context())
	if err != nil {
		return err
	}
	return impl.Echo(stream)
}

func (s *Server) pick(ctx context.Context) (*service.Server, error) {
	authority := strings.Join(metadata.ValueFromIncomingContext(ctx, ":authority"), "")
	if impl, ok := s.hosts[authority]; ok {
		return impl, nil
	}
	if which, name, _ := strings.Cut(authority, "."); which == broken || which == fixed {
		return nil, status.Errorf(codes.NotFound, "this server has no pitfall %q", name)
	}
	return &s.plain, nil
}
