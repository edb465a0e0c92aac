package gracefulstop

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
	Name:    "graceful-stop",
	Symptom: "after SIGTERM the server refuses new calls, and never exits",
	Fix:     "tell the handlers to finish; bound GracefulStop with Stop",
	Broken:  side(BrokenTicker()),
	Fixed:   side(FixedTicker()),
}

// drain is how long open calls may take to finish.
const drain = 10 * time.Second

type ticker interface {
	Count(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error
	Shutdown(*grpc.Server)
}

func side(t ticker) play.Side {
	run := func(ctx context.Context, s *play.Stage) (any, error) {
		stream, err := s.Client.Count(ctx, &pitfallsv1.CountRequest{})
		if err != nil {
			return nil, err
		}
		if _, err := stream.Recv(); err != nil {
			return nil, err
		}
		t.Shutdown(s.Server.Server)
		_, err = service.Values(stream)
		return "the server has stopped", err
	}
	return play.Side{Server: &service.Server{OnCount: t.Count}, Run: run, Alone: true}
}
