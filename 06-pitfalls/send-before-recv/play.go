package sendbeforerecv

import (
	"context"
	"fmt"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "send-before-recv",
	Symptom: "a hundred messages work, and with a thousand the call hangs",
	Fix:     "send in one goroutine and read in another",
	Broken:  play.Side{Run: run(BrokenEcho)},
	Fixed:   play.Side{Run: run(FixedEcho)},
}

type echo = func(context.Context, pitfallsv1.PitfallServiceClient, ...*pitfallsv1.Number) ([]int64, error)

func run(echo echo) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		if got, err := echo(ctx, s.Client, numbers(10)...); err != nil {
			return fmt.Sprintf("%d of 10 numbers", len(got)), err
		}
		got, err := echo(ctx, s.Client, numbers(1_000)...)
		return fmt.Sprintf("10 of 10 numbers, then %d of 1000", len(got)), err
	}
}

// numbers returns the numbers from 1 to n, with 10 KiB each.
func numbers(n int64) []*pitfallsv1.Number {
	padding := make([]byte, 10<<10)
	var numbers []*pitfallsv1.Number
	for i := range n {
		numbers = append(numbers, &pitfallsv1.Number{Value: i + 1, Padding: padding})
	}
	return numbers
}
