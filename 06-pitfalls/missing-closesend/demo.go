package missingclosesend

import (
	"context"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo sends three numbers and waits for the end of the call.
var Demo = demo.Demo{Broken: variant(BrokenEcho), Fixed: variant(FixedEcho)}

func variant(
	echo func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) ([]int64, error),
) demo.Variant {
	return demo.Variant{Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		return echo(ctx, c, 1, 2, 3)
	}}
}
