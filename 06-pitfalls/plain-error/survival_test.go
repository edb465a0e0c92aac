package plainerror

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedSum(t *testing.T) {
	s := pitfalltest.OfSum(FixedSum)
	// The client goes on sending after a number that is refused.
	s.InputNeverEnds = pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
		stream, err := pitfalltest.Dial(t, &service.Server{OnSum: FixedSum}).Sum(ctx)
		require.NoError(t, err)
		for v := int64(2); ; v-- { // 2, 1, 0, -1, ...
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				break // CloseAndRecv returns the status
			}
		}
		_, err = stream.CloseAndRecv()
		require.EqualError(t, err, "rpc error: code = InvalidArgument desc = value: must be at least 0, got -1")
	})
	s.Run(t)
}
