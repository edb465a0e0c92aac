package messagereuse

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBrokenSumIsRightButTheTraceShowsTheLastValueThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sum, traced := sumTraced(t, BrokenSum)
		require.Equal(t, int64(6), sum)
		require.Equal(t, []int64{3, 3, 3}, traced)
	})
}

func TestFixedSumIsRightAndSoIsTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sum, traced := sumTraced(t, FixedSum)
		require.Equal(t, int64(6), sum)
		require.Equal(t, []int64{1, 2, 3}, traced)
	})
}

func TestBrokenSumRacesWithATraceThatLooksInAnotherGoroutine(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { sumExported(t, BrokenSum) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "message-reuse.BrokenSum()")
}

func TestFixedSumDoesNotRaceWithIt(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { sumExported(t, FixedSum) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "exported 1\nexported 2\nexported 3\n")
}

// sumTraced lets a stats handler keep the messages until the call has ended.
func sumTraced(t *testing.T, code sum) (int64, []int64) {
	var seen []*pitfallsv1.Number
	client := dial(t, func(n *pitfallsv1.Number) { seen = append(seen, n) })
	sum, err := code(t.Context(), client, 1, 2, 3)
	require.NoError(t, err)
	return sum, values(seen)
}

// sumExported lets a stats handler pass the messages to a goroutine.
func sumExported(t *testing.T, code sum) {
	synctest.Test(t, func(t *testing.T) {
		exports := make(chan *pitfallsv1.Number, 3)
		go func() {
			for n := range exports {
				fmt.Println("exported", n.GetValue())
			}
		}()
		defer close(exports)
		client := dial(t, func(n *pitfallsv1.Number) { exports <- n })
		_, err := code(t.Context(), client, 1, 2, 3)
		require.NoError(t, err)
	})
}

func dial(t *testing.T, o observer) pitfallsv1.PitfallServiceClient {
	server := pitfalltest.Serve(t, &service.Server{})
	return pitfallsv1.NewPitfallServiceClient(server.Dial(t, grpc.WithStatsHandler(o)))
}

type sum = func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) (int64, error)

// An observer is a stats handler that is told what is sent.
type observer func(*pitfallsv1.Number)

func (o observer) HandleRPC(_ context.Context, s stats.RPCStats) {
	if out, ok := s.(*stats.OutPayload); ok {
		if n, ok := out.Payload.(*pitfallsv1.Number); ok {
			o(n)
		}
	}
}

func (observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (observer) HandleConn(context.Context, stats.ConnStats) {}
