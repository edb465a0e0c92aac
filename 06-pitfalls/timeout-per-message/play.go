package timeoutpermessage

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "timeout-per-message",
	Symptom: "a healthy stream ends with DeadlineExceeded",
	Fix:     "a timer that cancels the stream, reset with each message",
	Broken:  play.Side{Server: ticking, Run: run(BrokenCount)},
	Fixed:   play.Side{Server: ticking, Run: run(FixedCount)},
}

type count = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, time.Duration, func(int64),
) error

func run(count count) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		got := 0
		err := count(ctx, s.Client, &pitfallsv1.CountRequest{To: 20}, 550*time.Millisecond, func(int64) { got++ })
		return fmt.Sprintf("%d of 20 numbers", got), err
	}
}

// ticking is a server that sends a number every 100 ms.
var ticking = &service.Server{OnCount: tick}

func tick(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	for i := range req.GetTo() {
		time.Sleep(100 * time.Millisecond)
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}
