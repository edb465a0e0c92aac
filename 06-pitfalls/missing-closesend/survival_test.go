package missingclosesend

import (
	"context"
	"testing"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedEcho(t *testing.T) {
	pitfalltest.OfSumCall(func(ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64) (int64, error) {
		got, err := FixedEcho(ctx, c, values...)
		var sum int64
		for _, v := range got {
			sum += v
		}
		return sum, err
	}).Run(t)
}

func TestSurvival_OfFixedSum(t *testing.T) { pitfalltest.OfSumCall(FixedSum).Run(t) }
