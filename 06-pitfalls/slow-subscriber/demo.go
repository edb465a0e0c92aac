package slowsubscriber

import (
	"context"
	"fmt"
	"sync/atomic"

	"example.com/streams/06-pitfalls/internal/demo"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Demo publishes to two subscribers, one of which does not read.
var Demo = demo.Demo{
	Broken: demo.Variant{Server: serve(new(BrokenHub)), Run: run},
	Fixed:  demo.Variant{Server: serve(new(FixedHub)), Run: run},
}

func run(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, err := subscribe(ctx, c); err != nil { // never reads
		return nil, err
	}
	fast, err := subscribe(ctx, c)
	if err != nil {
		return nil, err
	}
	var got atomic.Int64
	go func() {
		for _, err := fast.Recv(); err == nil; _, err = fast.Recv() {
			got.Add(1)
		}
	}()
	err = publish(ctx, c)
	return fmt.Sprintf("the fast subscriber got %d of 100", got.Load()), err
}
