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

func TestBroken_TraceShowsTheLastValueThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sum, traced := sumTraced(t, BrokenSum)
		require.Equal(t, int64(6), sum)
		for _, where := range traced {
			require.Equal(t, []int64{3, 3, 3}, where)
		}
	})
}

func TestFixed_TraceShowsEachValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sum, traced := sumTraced(t, FixedSum)
		require.Equal(t, int64(6), sum)
		for _, where := range traced {
			require.Equal(t, []int64{1, 2, 3}, where)
		}
	})
}

func TestBroken_RacesWithATraceInAnotherGoroutine(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { sumExported(t, BrokenSum) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "message-reuse.BrokenSum()")
}

func TestFixed_DoesNotRaceWithThatTrace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { sumExported(t, FixedSum) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "exported 1\nexported 2\nexported 3\n")
}

// sumTraced returns the sum, and the values of the messages that two stats
// handlers and an interceptor have kept until the end of the call.
func sumTraced(t *testing.T, sum sum) (total int64, traced [3][]int64) {
	var kept [3][]*pitfallsv1.Number
	keep := func(i int) observer {
		return func(n *pitfallsv1.Number) { kept[i] = append(kept[i], n) }
	}
	client := pitfalltest.Dial(t, &service.Server{},
		grpc.WithStatsHandler(keep(0)), grpc.WithStatsHandler(keep(1)), grpc.WithStreamInterceptor(keep(2).intercept))
	total, err := sum(t.Context(), client, 1, 2, 3)
	require.NoError(t, err)
	for i := range kept {
		for _, n := range kept[i] {
			traced[i] = append(traced[i], n.GetValue())
		}
	}
	return total, traced
}

func (o observer) intercept(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := open(ctx, desc, cc, method, opts...)
	return observed{stream, o}, err
}

type observed struct {
	grpc.ClientStream
	observer
}

func (s observed) SendMsg(m any) error {
	s.observer(m.(*pitfallsv1.Number))
	return s.ClientStream.SendMsg(m)
}

// sumExported calls sum while a stats handler passes the messages to another
// goroutine.
func sumExported(t *testing.T, sum sum) {
	synctest.Test(t, func(t *testing.T) {
		exports := make(chan *pitfallsv1.Number, 3)
		go func() {
			for n := range exports {
				fmt.Println("exported", n.GetValue())
			}
		}()
		defer close(exports)
		export := observer(func(n *pitfallsv1.Number) { exports <- n })
		client := pitfalltest.Dial(t, &service.Server{}, grpc.WithStatsHandler(export))
		_, err := sum(t.Context(), client, 1, 2, 3)
		require.NoError(t, err)
	})
}

type sum = func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) (int64, error)

// An observer is a stats handler that gets each message that is sent.
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
