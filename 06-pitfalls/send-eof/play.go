package sendeof

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "send-eof",
	Symptom: "the client reports EOF and not why the server refused",
	Fix:     "on Send's io.EOF, read the status from CloseAndRecv or Recv",
	Broken:  play.Side{Server: refusing, Run: run(BrokenSum)},
	Fixed:   play.Side{Server: refusing, Run: run(FixedSum)},
}

type sum = func(context.Context, pitfallsv1.PitfallServiceClient, iter.Seq[int64]) (int64, error)

func run(sum sum) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		total, err := sum(ctx, s.Client, slowly(1, -2, 3))
		if err != nil {
			return nil, err
		}
		return total, nil
	}
}

// slowly yields the values, with a pause before each.
func slowly(values ...int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, v := range values {
			time.Sleep(100 * time.Millisecond)
			if !yield(v) {
				return
			}
		}
	}
}

// refusing is a server that adds up natural numbers only.
var refusing = &service.Server{
	OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
		for {
			n, err := stream.Recv()
			if err != nil {
				return err
			}
			if n.GetValue() < 0 {
				return status.Errorf(codes.InvalidArgument, "value: must be at least 0, got %d", n.GetValue())
			}
		}
	},
}
