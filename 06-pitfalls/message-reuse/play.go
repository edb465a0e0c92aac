package messagereuse

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "message-reuse",
	Symptom: "the server gets the right values, the trace shows only the last",
	Fix:     "a new message for each Send",
	Broken:  side(BrokenSum),
	Fixed:   side(FixedSum),
}

type sum = func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) (int64, error)

func side(code sum) play.Side {
	var seen []*pitfallsv1.Number
	trace := observer(func(n *pitfallsv1.Number) { seen = append(seen, n) })
	run := func(ctx context.Context, s *play.Stage) (any, error) {
		got, err := code(ctx, s.Client, 1, 2, 3)
		return fmt.Sprintf("the sum of 1, 2, 3 is %d; traced: %v", got, values(seen)), err
	}
	return play.Side{Run: run, DialOptions: []grpc.DialOption{grpc.WithStatsHandler(trace)}}
}

func values(numbers []*pitfallsv1.Number) []int64 {
	var vs []int64
	for _, n := range numbers {
		vs = append(vs, n.GetValue())
	}
	return vs
}

// An observer is a stats handler that is told what is sent.
type observer func(*pitfallsv1.Number)

func (o observer) HandleRPC(_ context.Context, s stats.RPCStats) {
	if out, ok := s.(*stats.OutPayload); ok {
		if n, ok := out.Payload.(*pitfallsv1.Number); ok {
			o(n)
		}
	}
}

func (observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (observer) HandleConn(context.Context, stats.ConnStats)                       {}
