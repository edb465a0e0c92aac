package concurrentrecv

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "concurrent-recv",
	Symptom: "numbers that nobody sent, or a Recv that nothing ends",
	Fix:     "call Recv in one goroutine and hand the messages to workers",
	Broken:  play.Side{Server: &service.Server{OnCount: slowly}, Run: run(BrokenCount)},
	Fixed:   play.Side{Server: &service.Server{OnCount: slowly}, Run: run(FixedCount)},
}

type count = func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64)) error

func run(code count) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		var got atomic.Int64
		err := code(ctx, s.Client, &pitfallsv1.CountRequest{To: 3}, func(int64) { got.Add(1) })
		return fmt.Sprintf("%d of 3 numbers", got.Load()), err
	}
}

// slowly pauses after the headers and after each number, so that both
// workers wait for what comes next.
func slowly(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for i := range req.GetTo() {
		time.Sleep(100 * time.Millisecond)
		n := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, req.GetPadding())}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	time.Sleep(100 * time.Millisecond)
	return nil
}
