package missingclosesend

import (
	"context"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "missing-closesend",
	Symptom: "all answers are there, and yet the call never ends",
	Fix:     "call CloseSend after the last Send",
	Broken:  play.Side{Run: run(BrokenEcho)},
	Fixed:   play.Side{Run: run(FixedEcho)},
}

func run(
	echo func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) ([]int64, error),
) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		return echo(ctx, s.Client, 1, 2, 3)
	}
}
