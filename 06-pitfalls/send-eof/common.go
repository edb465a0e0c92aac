package sendeof

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type sum = func(context.Context, pitfallsv1.PitfallServiceClient, iter.Seq[int64]) (int64, error)

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

// refusing is a server that refuses negative numbers.
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
