package sharedstate

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
	Name:    "shared-state",
	Symptom: "with two clients at once, each gets some of the other's data",
	Fix:     "keep what belongs to a stream in its handler's variables",
	Broken:  play.Side{Server: &service.Server{OnSum: new(BrokenAdder).Sum}, Run: run},
	Fixed:   play.Side{Server: &service.Server{OnSum: new(FixedAdder).Sum}, Run: run},
}

type sumStream = grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]

func run(ctx context.Context, s *play.Stage) (any, error) {
	first, second, err := sums(ctx, s.Client)
	return fmt.Sprintf("1+2 = %d, 10+20 = %d", first, second), err
}

// sums adds 1 and 2 on one stream and 10 and 20 on another, in turns.
func sums(ctx context.Context, c pitfallsv1.PitfallServiceClient) (first, second int64, err error) {
	a, err := c.Sum(ctx)
	if err != nil {
		return 0, 0, err
	}
	b, err := c.Sum(ctx)
	if err != nil {
		return 0, 0, err
	}
	pause() // until both handlers run
	for _, v := range []int64{1, 2} {
		_ = a.Send(&pitfallsv1.Number{Value: v}) // CloseAndRecv has the status
		pause()                                  // until the handler has it
		_ = b.Send(&pitfallsv1.Number{Value: 10 * v})
		pause()
	}
	one, err := a.CloseAndRecv()
	if err != nil {
		return 0, 0, err
	}
	other, err := b.CloseAndRecv()
	return one.GetSum(), other.GetSum(), err
}

func pause() { time.Sleep(100 * time.Millisecond) }
