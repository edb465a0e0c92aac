package sendeof

import (
	"context"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo sends three numbers, of which the server refuses the second.
var Demo = demo.Demo{Broken: variant(BrokenSum), Fixed: variant(FixedSum)}

func variant(sum sum) demo.Variant {
	return demo.Variant{Server: refusing, Run: func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		_, err := sum(ctx, c, slowly(1, -2, 3))
		return nil, err
	}}
}
