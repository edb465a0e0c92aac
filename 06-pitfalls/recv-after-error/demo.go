package recvaftererror

import (
	"context"
	"fmt"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo reads three numbers, of which the second is too large.
var Demo = demo.Demo{Broken: variant(BrokenCount), Fixed: variant(FixedCount)}

func variant(count count) demo.Variant {
	result := func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
		r, err := run(ctx, c, count)
		return fmt.Sprintf("%d of 3 numbers, %d that nobody sent, %d errors",
			len(r.sent), r.strange, len(r.errs)), err
	}
	return demo.Variant{Server: &service.Server{OnCount: secondIsLarge}, Run: result}
}
