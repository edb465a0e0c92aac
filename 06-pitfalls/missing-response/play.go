package missingresponse

import (
	"context"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "missing-response",
	Symptom: "Internal: cardinality violation, though the handler returned nil",
	Fix:     "end a client-streaming handler with SendAndClose or a status",
	Broken:  play.Side{Server: &service.Server{OnSum: BrokenSum}, Run: run},
	Fixed:   play.Side{Server: &service.Server{OnSum: FixedSum}, Run: run},
}

func run(ctx context.Context, s *play.Stage) (any, error) {
	response, err := sum(ctx, s.Client, 1, 2, 0)
	if err != nil {
		return nil, err
	}
	return response.GetSum(), nil
}

func sum(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv has the status
		}
	}
	return stream.CloseAndRecv()
}
