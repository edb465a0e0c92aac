package closesendisnotclose

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
	Name:    "closesend-is-not-close",
	Symptom: "the feed is closed, and its numbers go on arriving",
	Fix:     "cancel the stream's context; CloseSend closes one half",
	Broken:  play.Side{Server: ticking, Run: run(BrokenOpen)},
	Fixed:   play.Side{Server: ticking, Run: run(FixedOpen)},
}

type feed interface {
	Next() (int64, error)
	Close() error
}

func run[F feed](
	open func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest) (F, error),
) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		ctx = context.WithoutCancel(ctx) // a caller that runs on, as servers do
		feed, err := open(ctx, s.Client, &pitfallsv1.CountRequest{})
		if err != nil {
			return nil, err
		}
		if err := feed.Close(); err != nil {
			return nil, err
		}
		for range 3 {
			if _, err = feed.Next(); err != nil {
				return "after Close", err
			}
		}
		return "after Close: 3 numbers", nil
	}
}

// ticking is a server with a number every 100 ms.
var ticking = &service.Server{
	OnCount: func(_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		for i := int64(1); ; i++ {
			time.Sleep(100 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
				return err
			}
		}
	},
}
