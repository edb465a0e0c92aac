package abandonedstream

import (
	"context"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo finds the third number of a stream without an end.
var Demo = demo.Demo{Broken: variant(BrokenFind), Fixed: variant(FixedFind)}

func variant(
	find func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64) bool) (int64, error),
) demo.Variant {
	return demo.Variant{Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		ctx = context.WithoutCancel(ctx) // a caller that goes on, as a server does
		return find(ctx, c, &pitfallsv1.CountRequest{Padding: 10 << 10}, three)
	}}
}
