package plainerror

import (
	"context"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "plain-error",
	Symptom: "every failure of the server has the code Unknown",
	Fix:     "return status.Errorf from a handler, with a code on purpose",
	Broken:  play.Side{Server: &service.Server{OnSum: BrokenSum}, Run: run},
	Fixed:   play.Side{Server: &service.Server{OnSum: FixedSum}, Run: run},
}

func run(ctx context.Context, s *play.Stage) (any, error) {
	return nil, sum(ctx, s.Client, 1, -2)
}

func sum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) error {
	stream, err := c.Sum(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv has the status
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}
