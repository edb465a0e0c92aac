package sendeof

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedSum(t *testing.T) {
	s := pitfalltest.OfSumCall(func(
		ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64,
	) (int64, error) {
		return FixedSum(ctx, c, slices.Values(values))
	})
	s.InputNeverEnds = pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
		unavailable := status.Error(codes.Unavailable, "restarting")
		_, err := FixedSum(ctx, pitfalltest.Dial(t, pitfalltest.Ends(unavailable)), ones)
		require.EqualError(t, err, unavailable.Error())
	})
	s.Run(t)
}

// ones yields 1 forever.
var ones iter.Seq[int64] = func(yield func(int64) bool) {
	for yield(1) {
	}
}

// The client refuses to send a message that is larger than its own limit.
func TestBoth_ReturnTheErrorOfTheirOwnSend(t *testing.T) {
	for _, sum := range []sum{BrokenSum, FixedSum} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfalltest.Dial(t, &service.Server{},
				grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1)))
			_, err := sum(t.Context(), client, slowly(3))
			require.ErrorContains(t, err, "send 3: rpc error: code = ResourceExhausted")
		})
	}
}
