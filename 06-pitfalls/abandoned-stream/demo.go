package abandonedstream

import (
	"context"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo finds the third number of a stream without an end.
var Demo = demo.Demo{
	Broken: demo.Variant{Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		// The caller goes on, as a server does, so nothing cancels its context.
		return BrokenFind(context.WithoutCancel(ctx), c, &pitfallsv1.CountRequest{}, 3)
	}},
	Fixed: demo.Variant{Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		return FixedFind(context.WithoutCancel(ctx), c, &pitfallsv1.CountRequest{}, 3)
	}},
}
