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

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBrokenAdderMixesTheStreams(t *testing.T) {
	out := pitfalltest.Process(t, func() { addInTurns(t, new(BrokenAdder).Sum) })
	require.Contains(t, out, "1+2 = 33, 10+20 = 33\n")
}

func TestFixedAdderKeepsThemApart(t *testing.T) {
	out := pitfalltest.Process(t, func() { addInTurns(t, new(FixedAdder).Sum) })
	require.Contains(t, out, "1+2 = 3, 10+20 = 30\n")
}

func TestBrokenAdderIsWhatTheRaceDetectorReports(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { addAtOnce(t, new(BrokenAdder).Sum) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "shared-state.(*BrokenAdder).Sum()")
}

func TestFixedAdderHasNoRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { addAtOnce(t, new(FixedAdder).Sum) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, strings.Repeat("sum: 200 <nil>\n", 20))
}

// addInTurns is in a process without race reports. The turns decide what
// comes out; the race is the other test's.
func addInTurns(t *testing.T, sum func(sumStream) error) {
	synctest.Test(t, func(t *testing.T) {
		first, second, err := sums(t.Context(), pitfalltest.Dial(t, &service.Server{OnSum: sum}))
		require.NoError(t, err)
		fmt.Printf("1+2 = %d, 10+20 = %d\n", first, second)
	})
}

// addAtOnce adds on two connections at once. Chance decides whether the
// detector sees one round; ten are sure.
func addAtOnce(t *testing.T, sum func(sumStream) error) {
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
					_ = stream.Send(&pitfallsv1.Number{Value: 1}) // CloseAndRecv has the status
				}
				response, err := stream.CloseAndRecv()
				fmt.Println("sum:", response.GetSum(), err)
			})
		}
		streams.Wait()
	}
}

// sums adds 1 and 2 on one stream and 10 and 20 on another, in turns.
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
		_ = a.Send(&pitfallsv1.Number{Value: v}) // CloseAndRecv has the status
		pause()                                  // until the handler has it
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
