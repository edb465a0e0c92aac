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

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBrokenCountLeavesAWorkerBehindThatNoDeadlineEnds(t *testing.T) {
	require.Contains(t, countToThree(t, BrokenCount, 0),
		"a day later: 3 numbers, 0 that nobody sent, returned: false\n")
}

func TestFixedCountReturnsAndItsWorkersEnd(t *testing.T) {
	out := countToThree(t, FixedCount, 0)
	require.Contains(t, out, "a day later: 3 numbers, 0 that nobody sent, returned: true\n")
	require.NotContains(t, out, "deadlock", "a goroutine is left")
}

// 20 KiB take two DATA frames. The second wakes the worker that waits for a
// header.
func TestBrokenCountHandlesNumbersThatNobodySent(t *testing.T) {
	require.Regexp(t, `numbers, [1-9]\d* that nobody sent`, countToThree(t, BrokenCount, 20<<10))
}

func TestFixedCountHandlesWhatWasSent(t *testing.T) {
	require.Contains(t, countToThree(t, FixedCount, 20<<10),
		"a day later: 3 numbers, 0 that nobody sent, returned: true\n")
}

func TestBrokenCountIsWhatTheRaceDetectorReports(t *testing.T) {
	report := lab.RaceReport(t, func() { countInABubble(t, BrokenCount, 0) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "google.golang.org/grpc.(*csAttempt).recvMsg()")
}

func TestFixedCountHasNoRace(t *testing.T) {
	report := lab.RaceReport(t, func() { countInABubble(t, FixedCount, 0) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "returned: true")
}

type count = func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64)) error

// countToThree returns what happened, in a process of its own: what hangs
// here cannot be ended.
func countToThree(t *testing.T, code count, padding int32) string {
	return lab.Process(t, func() { countInABubble(t, code, padding) })
}

func countInABubble(t *testing.T, code count, padding int32) {
	synctest.Test(t, func(t *testing.T) {
		client := lab.Dial(t, &service.Server{OnCount: slowly})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var sent, strange atomic.Int64
		var returned atomic.Bool
		go func() {
			defer returned.Store(true)
			_ = code(ctx, client, &pitfallsv1.CountRequest{To: 3, Padding: padding}, func(n int64) {
				if n == 0 {
					strange.Add(1)
				} else {
					sent.Add(1)
				}
			})
		}()
		time.Sleep(24 * time.Hour)
		fmt.Printf("a day later: %d numbers, %d that nobody sent, returned: %t\n",
			sent.Load(), strange.Load(), returned.Load())
	})
}

// slowly sends a number a second: both workers wait for each, and for the
// end.
func slowly(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	for i := range req.GetTo() {
		time.Sleep(time.Second)
		n := &pitfallsv1.Number{Value: i + 1, Padding: make([]byte, req.GetPadding())}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	return nil
}
