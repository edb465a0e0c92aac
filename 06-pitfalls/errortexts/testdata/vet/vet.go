// Package vet has what go vet finds in streaming code.
package vet

import (
	"context"
	"fmt"
	"sync"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func dropsCancel(ctx context.Context) context.Context {
	ctx, _ = context.WithCancel(ctx)
	return ctx
}

func forgetsCancel(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	cancel()
	return err
}

type hub struct {
	mu          sync.Mutex
	subscribers []chan int
}

func (h hub) len() int { return len(h.subscribers) }

func pass(n pitfallsv1.Number) int64 { return n.GetValue() }

func assign(n *pitfallsv1.Number) {
	kept := *n
	fmt.Println(&kept)
}

func each(numbers []pitfallsv1.Number) {
	for _, n := range numbers {
		fmt.Println(n.GetValue())
	}
}

func give(n *pitfallsv1.Number) pitfallsv1.Number { return *n }
