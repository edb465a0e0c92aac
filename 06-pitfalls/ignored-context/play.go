package ignoredcontext

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "ignored-context",
	Symptom: "goroutines grow with every client that ever came",
	Fix:     "select on Context().Done(), and return Send's error",
	Broken:  play.Side{Server: server(BrokenFollow), Run: leave},
	Fixed:   play.Side{Server: server(FixedFollow), Run: leave},
}

// server has no news.
func server(follow func(grpc.ServerStreamingServer[pitfallsv1.Number], <-chan int64) error) *service.Server {
	return &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		return follow(stream, make(chan int64))
	}}
}

// leave follows for a while.
func leave(ctx context.Context, s *play.Stage) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(200*time.Millisecond, cancel)
	stream, err := s.Client.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	_, err = service.Values(stream)
	return "the client has left", err
}
