package concurrentclosesend

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
	Name:    "concurrent-closesend",
	Symptom: "Internal: SendMsg called after CloseSend, and no answers",
	Fix:     "let the goroutine that sends call CloseSend too",
	Broken:  play.Side{Server: late, Run: run(BrokenEcho)},
	Fixed:   play.Side{Server: late, Run: run(FixedEcho)},
}

type echo = func(context.Context, pitfallsv1.PitfallServiceClient, <-chan int64, <-chan struct{}) ([]int64, error)

func run(echo echo) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		return stopAfterTwo(ctx, s.Client, echo)
	}
}

// stopAfterTwo offers the numbers from 1 on, one every 200 ms, and says
// stop between the second and the third.
func stopAfterTwo(ctx context.Context, c pitfallsv1.PitfallServiceClient, echo echo) ([]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	values, stop := make(chan int64), make(chan struct{})
	time.AfterFunc(500*time.Millisecond, func() { close(stop) })
	go func() {
		defer close(values)
		for i := int64(1); ; i++ {
			time.Sleep(200 * time.Millisecond)
			select {
			case values <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	return echo(ctx, c, values, stop)
}

// late is a server that answers a second after it has everything.
var late = &service.Server{
	OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
		values, err := service.Values(stream)
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
		for _, v := range values {
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				return err
			}
		}
		return nil
	},
}
