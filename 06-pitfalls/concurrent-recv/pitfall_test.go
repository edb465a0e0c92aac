package concurrentrecv

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBrokenCountLeavesAWorkerBehindThatNoDeadlineEnds(t *testing.T) {
	require.Contains(t, countToThree(t, BrokenCount, 0),
		"a day later: 3 numbers, returned: false\n")
}

func TestFixedCountReturnsAndItsWorkersEnd(t *testing.T) {
	out := countToThree(t, FixedCount, 0)
	require.Contains(t, out, "a day later: 3 numbers, returned: true\n")
	require.NotContains(t, out, "deadlock", "a goroutine is left")
}

// 20 KiB take two DATA frames. The second wakes the worker that waits for a
// header.
func TestBrokenCountHandlesNumbersThatNobodySent(t *testing.T) {
	require.Contains(t, countToThree(t, BrokenCount, 20<<10), "a number that nobody sent\n")
}

func TestFixedCountHandlesWhatWasSent(t *testing.T) {
	out := countToThree(t, FixedCount, 20<<10)
	require.NotContains(t, out, "a number that nobody sent")
	require.Contains(t, out, "a day later: 3 numbers, returned: true\n")
}

func TestBrokenCountIsWhatTheRaceDetectorReports(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { countInABubble(t, BrokenCount, 0) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "google.golang.org/grpc.(*csAttempt).recvMsg()")
}

func TestFixedCountHasNoRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { countInABubble(t, FixedCount, 0) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "returned: true")
}

// countToThree returns what happened, in a process of its own: what hangs
// here cannot be ended.
func countToThree(t *testing.T, code count, padding int32) string {
	return pitfalltest.Process(t, func() { countInABubble(t, code, padding) })
}

func countInABubble(t *testing.T, code count, padding int32) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: slowly})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var sent atomic.Int64
		var strange, returned atomic.Bool
		go func() {
			defer returned.Store(true)
			_ = code(ctx, client, &pitfallsv1.CountRequest{To: 3, Padding: padding}, func(n int64) {
				if n != 0 {
					sent.Add(1)
				} else if strange.CompareAndSwap(false, true) {
					fmt.Println("a number that nobody sent")
				}
			})
		}()
		time.Sleep(24 * time.Hour)
		fmt.Printf("a day later: %d numbers, returned: %t\n", sent.Load(), returned.Load())
	})
}

type count = func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64)) error

// slowly pauses after the headers and after each number, so that both
// workers wait for what comes next.
func slowly(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for i := range req.GetTo() {
		time.Sleep(100 * time.Millisecond)
		n := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, req.GetPadding())}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	time.Sleep(100 * time.Millisecond)
	return nil
}
