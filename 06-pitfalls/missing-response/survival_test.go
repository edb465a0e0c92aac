package missingresponse

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
	// The client does not know that the sum has ended at a zero.
	s.InputNeverEnds = pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
		stream, err := pitfalltest.Dial(t, &service.Server{OnSum: FixedSum}).Sum(ctx)
		require.NoError(t, err)
		for v := int64(2); ; v = max(v-1, 0) { // 2, 1, 0, 0, ...
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				break // CloseAndRecv returns the response
			}
		}
		response, err := stream.CloseAndRecv()
		require.NoError(t, err)
		require.EqualValues(t, 3, response.GetSum())
		require.EqualValues(t, 2, response.GetCount())
	})
	s.Run(t)
}
