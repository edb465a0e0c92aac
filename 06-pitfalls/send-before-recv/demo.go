package sendbeforerecv

import (
	"context"
	"fmt"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo sends 10 numbers in one call, and 1000 in another.
var Demo = demo.Demo{Broken: variant(BrokenEcho), Fixed: variant(FixedEcho)}

func variant(
	echo func(context.Context, pitfallsv1.PitfallServiceClient, int64) ([]int64, error),
) demo.Variant {
	return demo.Variant{Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		if got, err := echo(ctx, c, 10); err != nil {
			return fmt.Sprintf("%d of 10 numbers", len(got)), err
		}
		got, err := echo(ctx, c, 1000)
		return fmt.Sprintf("10 of 10 numbers, then %d of 1000", len(got)), err
	}}
}
