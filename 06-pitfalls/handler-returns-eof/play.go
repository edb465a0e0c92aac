package handlerreturnseof

import (
	"context"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "handler-returns-eof",
	Symptom: "every answer arrives, and the call ends with Unknown: EOF",
	Fix:     "return nil from the handler when Recv returns io.EOF",
	Broken:  play.Side{Server: &service.Server{OnEcho: BrokenEcho}, Run: run},
	Fixed:   play.Side{Server: &service.Server{OnEcho: FixedEcho}, Run: run},
}

func run(ctx context.Context, s *play.Stage) (any, error) {
	return echo(ctx, s.Client, 1, 2, 3)
}

func echo(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // Recv has the status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return service.Values(stream)
}
