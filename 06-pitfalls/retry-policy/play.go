package retrypolicy

import (
	"context"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "retry-policy",
	Symptom: "despite a retry policy the first failure ends the stream",
	Fix:     "open a new stream yourself, from the last message you have",
	Broken:  side(BrokenCount),
	Fixed:   side(FixedCount),
}

// policy is a service config that retries every method.
var policy = grpc.WithDefaultServiceConfig(`{"methodConfig": [{
	"name": [{}],
	"retryPolicy": {
		"maxAttempts": 3,
		"initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`)

type count = func(context.Context, pitfallsv1.PitfallServiceClient, int64) ([]int64, error)

func side(code count) play.Side {
	server := &flaky{}
	run := func(ctx context.Context, s *play.Stage) (any, error) {
		got, err := code(ctx, s.Client, 3)
		return fmt.Sprintf("%v in %d attempts", got, server.attempts.Load()), err
	}
	return play.Side{
		Server:      &service.Server{OnCount: server.Count},
		DialOptions: []grpc.DialOption{policy},
		Run:         run,
	}
}

var errRestart = status.Error(codes.Unavailable, "the server restarts")

// A flaky server ends the first two streams after two numbers.
type flaky struct{ attempts atomic.Int64 }

func (f *flaky) Count(
	req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	attempt := f.attempts.Add(1)
	for i := range req.GetTo() {
		if i == 2 && attempt < 3 {
			return errRestart
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}
