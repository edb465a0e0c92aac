package abandonedstream

import (
	"context"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "abandoned-stream",
	Symptom: "the client has its answer, and the handler never returns",
	Fix:     "defer the cancel of the context that the stream was opened with",
	Broken:  play.Side{Run: run(BrokenFind)},
	Fixed:   play.Side{Run: run(FixedFind)},
}

type find = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64) bool,
) (int64, error)

func run(find find) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		ctx = context.WithoutCancel(ctx) // a caller that runs on, as servers do
		return find(ctx, s.Client, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
	}
}

func three(v int64) bool { return v == 3 }
