package sendisnotdelivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "send-is-not-delivery",
	Symptom: "every Send returned nil, and the server has only some of it",
	Fix:     "wait for the status: CloseAndRecv, or Recv until io.EOF",
	Broken:  side(BrokenReport),
	Fixed:   side(FixedReport),
}

type report = func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) error

func side(report report) play.Side {
	var got atomic.Int64
	return play.Side{
		Server: counting(&got),
		Alone:  true, // what the server has is asked here, not over the wire
		Run: func(ctx context.Context, s *play.Stage) (any, error) {
			err := report(ctx, s.Client, make([]int64, 100)...)
			time.Sleep(time.Second)
			return fmt.Sprintf("100 sent, error %v; the server has %d", err, got.Load()), nil
		},
	}
}

// counting is a server that works 10 ms on each number and counts them.
func counting(got *atomic.Int64) *service.Server {
	return &service.Server{
		OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
			for {
				_, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&pitfallsv1.SumResponse{Count: got.Load()})
				}
				if err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
				got.Add(1)
			}
		},
	}
}
