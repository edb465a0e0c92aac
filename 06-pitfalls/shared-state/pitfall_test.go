package sharedstate

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// The broken code runs in a process without race reports, because only the
// sums matter here.
func TestBroken_MixesTwoStreams(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		synctest.Test(t, func(t *testing.T) { fmt.Println(addInTurns(t, new(BrokenAdder).Sum)) })
	})
	require.Contains(t, out, "33 33\n")
}

func TestFixed_KeepsTwoStreamsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := addInTurns(t, new(FixedAdder).Sum)
		require.Equal(t, int64(3), first)
		require.Equal(t, int64(30), second)
	})
}

func TestBoth_AddUpOneStreamAtATime(t *testing.T) {
	for name, sum := range map[string]sumHandler{"broken": new(BrokenAdder).Sum, "fixed": new(FixedAdder).Sum} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := pitfalltest.Dial(t, &service.Server{OnSum: sum})
				for range 2 {
					response, err := pitfalltest.Sum(t, client, 1, 2)
					require.NoError(t, err)
					require.EqualValues(t, 3, response.GetSum())
				}
			})
		})
	}
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

func TestLock_SilencesTheDetectorOnly(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { addAtOnce(t, new(lockedAdder).Sum) })
	require.NotContains(t, report, "WARNING: DATA RACE")
}

func TestLock_StillMixesTwoStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := addInTurns(t, new(lockedAdder).Sum)
		require.Equal(t, int64(33), first)
		require.Equal(t, int64(33), second)
	})
}

// A lockedAdder is a [BrokenAdder] with a lock around each access.
type lockedAdder struct {
	mu       sync.Mutex
	response *pitfallsv1.SumResponse
}

func (a *lockedAdder) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	a.mu.Lock()
	a.response = &pitfallsv1.SumResponse{}
	a.mu.Unlock()
	for {
		n, err := stream.Recv()
		a.mu.Lock()
		if err != nil {
			response := &pitfallsv1.SumResponse{Sum: a.response.GetSum()}
			a.mu.Unlock()
			return stream.SendAndClose(response)
		}
		a.response.Sum += n.GetValue()
		a.mu.Unlock()
	}
}

// The runtime notices only if two writes happen at the same instant, so each
// handler writes until the process ends.
func TestMap_EndsTheProcess(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		runtime.GOMAXPROCS(max(2, runtime.NumCPU()))
		sums := map[int64]int64{0: 0, 1: 0} // an insertion can fail with another text
		client := pitfalltest.Dial(t, &service.Server{
			OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
				for i := int64(0); stream.Context().Err() == nil; i++ {
					sums[i%2] = i
				}
				return nil
			},
		})
		for range 2 {
			_, err := client.Sum(t.Context())
			require.NoError(t, err)
		}
		<-t.Context().Done()
	})
	require.Contains(t, out, "fatal error: concurrent map writes")
}

type sumHandler = func(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error

// addInTurns adds 1 and 2 on one stream, and 10 and 20 on another, in turns.
// It returns the two sums.
func addInTurns(t *testing.T, sum sumHandler) (first, second int64) {
	client := pitfalltest.Dial(t, &service.Server{OnSum: sum})
	a, err := client.Sum(t.Context())
	require.NoError(t, err)
	b, err := client.Sum(t.Context())
	require.NoError(t, err)
	synctest.Wait() // until both handlers run
	for _, v := range []int64{1, 2} {
		require.NoError(t, a.Send(&pitfallsv1.Number{Value: v}))
		synctest.Wait()
		require.NoError(t, b.Send(&pitfallsv1.Number{Value: 10 * v}))
		synctest.Wait()
	}
	one, err := a.CloseAndRecv()
	require.NoError(t, err)
	other, err := b.CloseAndRecv()
	require.NoError(t, err)
	return one.GetSum(), other.GetSum()
}

// addAtOnce adds on two connections at once and prints the sums. The race
// detector can miss the race in one round, so there are ten.
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
