package sharedstate

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedAdder(t *testing.T) {
	adder := new(FixedAdder).Sum
	s := pitfalltest.OfSum(adder)
	// One stream sends for an hour while another stream waits.
	s.InputNeverEnds = pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
		client := pitfalltest.Dial(t, &service.Server{OnSum: adder})
		limited, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		endless, err := client.Sum(limited)
		require.NoError(t, err)
		other, err := client.Sum(ctx)
		require.NoError(t, err)
		for endless.Send(&pitfallsv1.Number{Value: 1}) == nil {
			time.Sleep(time.Minute)
		}
		require.Error(t, limited.Err())
		require.NoError(t, other.Send(&pitfallsv1.Number{Value: 3}))
		response, err := other.CloseAndRecv()
		require.NoError(t, err)
		require.EqualValues(t, 3, response.GetSum(), "nothing of the other stream")
	})
	s.Run(t)
}
