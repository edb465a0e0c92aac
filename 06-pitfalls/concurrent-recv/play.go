package concurrentrecv

import (
	"context"
	"fmt"
	"sync/atomic"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "concurrent-recv",
	Symptom: "numbers that nobody sent, or a Recv that nothing ends",
	Fix:     "call Recv in one goroutine and hand the messages to workers",
	Broken:  play.Side{Run: run(BrokenCount)},
	Fixed:   play.Side{Run: run(FixedCount)},
}

func run(
	count func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64)) error,
) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		var sent, never atomic.Int64
		err := count(ctx, s.Client, &pitfallsv1.CountRequest{To: 100, Padding: 20 << 10}, func(n int64) {
			if n == 0 {
				never.Add(1)
			} else {
				sent.Add(1)
			}
		})
		return fmt.Sprintf("%d of 100 numbers, and %d that were never sent", sent.Load(), never.Load()), err
	}
}
