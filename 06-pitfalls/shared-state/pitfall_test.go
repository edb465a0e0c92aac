package sharedstate

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_MixesTwoStreams(t *testing.T) {
	out := pitfalltest.Process(t, func() { addInTurns(t, new(BrokenAdder).Sum) })
	require.Contains(t, out, "1+2 = 33, 10+20 = 33\n")
}

func TestFixed_KeepsTwoStreamsApart(t *testing.T) {
	out := pitfalltest.Process(t, func() { addInTurns(t, new(FixedAdder).Sum) })
	require.Contains(t, out, "1+2 = 3, 10+20 = 30\n")
}

func TestBroken_HasADataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { addAtOnce(t, new(BrokenAdder).Sum) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "shared-state.(*BrokenAdder).Sum()")
}

func TestFixed_HasNoDataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { addAtOnce(t, new(FixedAdder).Sum) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, strings.Repeat("sum: 200 <nil>\n", 20))
}

type sumHandler = func(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error

// addInTurns prints the sums of two streams that take turns. It runs in a
// process without race reports, because only the order of the turns matters
// here.
func addInTurns(t *testing.T, sum sumHandler) {
	synctest.Test(t, func(t *testing.T) {
		first, second, err := sums(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: sum}))
		require.NoError(t, err)
		fmt.Printf("1+2 = %d, 10+20 = %d\n", first, second)
	})
}

// addAtOnce adds on two connections at once. The race detector can miss the
// race in one round, so there are ten.
func addAtOnce(t *testing.T, sum sumHandler) {
	server := pitfalltest.Serve(t, &service.Server{OnSum: sum})
	clients := []pitfallsv1.PitfallServiceClient{
		pitfallsv1.NewPitfallServiceClient(server.Dial(t)),
		pitfallsv1.NewPitfallServiceClient(server.Dial(t)),
	}
	for range 10 {
		var streams sync.WaitGroup
		for _, client := range clients {
			stream, err := client.Sum(t.Context())
			require.NoError(t, err)
			streams.Go(func() {
				for range 200 {
					_ = stream.Send(&pitfallsv1.Number{Value: 1}) // CloseAndRecv returns the status
				}
				response, err := stream.CloseAndRecv()
				fmt.Println("sum:", response.GetSum(), err)
			})
		}
		streams.Wait()
	}
}

// sums adds 1 and 2 on one stream, and 10 and 20 on another, in turns.
func sums(ctx context.Context, c pitfallsv1.PitfallServiceClient) (first, second int64, err error) {
	a, err := c.Sum(ctx)
	if err != nil {
		return 0, 0, err
	}
	b, err := c.Sum(ctx)
	if err != nil {
		return 0, 0, err
	}
	pause() // until both handlers run
	for _, v := range []int64{1, 2} {
		// CloseAndRecv returns the status. The pause is for the handler.
		_ = a.Send(&pitfallsv1.Number{Value: v})
		pause()
		_ = b.Send(&pitfallsv1.Number{Value: 10 * v})
		pause()
	}
	one, err := a.CloseAndRecv()
	if err != nil {
		return 0, 0, err
	}
	other, err := b.CloseAndRecv()
	return one.GetSum(), other.GetSum(), err
}

func pause() { time.Sleep(100 * time.Millisecond) }
