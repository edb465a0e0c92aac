package defercancel

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
	Name:    "defer-cancel",
	Symptom: "the first Recv returns Canceled, though nobody cancelled",
	Fix:     "the caller who reads the stream cancels it",
	Broken:  play.Side{Server: ticking, Run: run(BrokenOpen)},
	Fixed:   play.Side{Server: ticking, Run: run(FixedOpen)},
}

type open = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, time.Duration,
) (grpc.ServerStreamingClient[pitfallsv1.Number], error)

func run(open open) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		stream, err := open(ctx, s.Client, &pitfallsv1.CountRequest{To: 3}, time.Second)
		if err != nil {
			return nil, err
		}
		return service.Values(stream)
	}
}

// ticking is a server that sends a number every 500 ms.
var ticking = &service.Server{
	OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		for i := range req.GetTo() {
			time.Sleep(500 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
				return err
			}
		}
		return nil
	},
}
