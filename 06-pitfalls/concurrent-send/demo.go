package concurrentsend

import (
	"context"
	"fmt"

	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo reads numbers and heartbeats slowly.
var Demo = demo.Demo{
	Broken: demo.Variant{Server: &service.Server{OnCount: BrokenCount}, Run: run},
	Fixed:  demo.Variant{Server: &service.Server{OnCount: FixedCount}, Run: run},
}

func run(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
	numbers, heartbeats, err := readSlowly(ctx, c)
	return fmt.Sprintf("%d of 100 numbers, and then %d heartbeats", numbers, heartbeats), err
}
