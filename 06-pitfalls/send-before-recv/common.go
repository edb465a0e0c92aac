package sendbeforerecv

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type echo = func(context.Context, pitfallsv1.PitfallServiceClient, ...*pitfallsv1.Number) ([]int64, error)

// numbers returns the numbers from 1 to n, each with 10 KiB of padding.
func numbers(n int64) []*pitfallsv1.Number {
	padding := make([]byte, 10<<10)
	var numbers []*pitfallsv1.Number
	for i := range n {
		numbers = append(numbers, &pitfallsv1.Number{Value: i + 1, Padding: padding})
	}
	return numbers
}
