package concurrentrecv

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// The code runs in another process, because a Recv that hangs cannot be ended.
func TestBroken_CountNeverReturns(t *testing.T) {
	out := pitfalltest.Process(t, func() { printResult(t, BrokenCount, nil) })
	require.Contains(t, out, "after a day: 3 numbers, still runs, 1 in Recv\n")
}

// A number of 20 KiB takes two DATA frames. The second frame wakes the worker
// that waits for a header.
func TestBroken_CountHandlesNumbersNobodySent(t *testing.T) {
	out := pitfalltest.Process(t, func() { printResult(t, BrokenCount, make([]byte, 20<<10)) })
	require.Contains(t, out, "a number that nobody sent\n")
}

// The worker takes five bytes of the padding for a header: a flag and a length.
func TestBroken_CountTakesPaddingForALength(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		printResult(t, BrokenCount, bytes.Repeat([]byte{1}, 20<<10))
	})
	require.Contains(t, out, "returned rpc error: code = ResourceExhausted desc = "+
		"grpc: received message larger than max (16843009 vs. 4194304), ")
}

func TestBroken_CountTakesPaddingForAMessage(t *testing.T) {
	out := pitfalltest.Process(t, func() {
		for range 20 { // mostly the first time
			printResult(t, BrokenCount, bytes.Repeat([]byte{0, 0, 0, 1}, 25<<10))
		}
	})
	require.Contains(t, out, "returned rpc error: code = Internal desc = "+
		"grpc: failed to unmarshal the received message")
}

// Both workers free the buffer of one frame. That takes real time, and chance.
func TestRecv_OfTwoWorkersCanPanic(t *testing.T) {
	pitfalltest.SkipUnderRace(t)
	for range 50 { // mostly the first time
		out := pitfalltest.Process(t, func() { repeat(t) })
		if strings.Contains(out, "panic: Cannot free freed buffer") {
			return
		}
	}
	require.Fail(t, "no process has panicked")
}

func TestFixed_CountHandlesWhatWasSentAndReturns(t *testing.T) {
	out := pitfalltest.Process(t, func() { printResult(t, FixedCount, make([]byte, 20<<10)) })
	require.NotContains(t, out, "a number that nobody sent")
	require.Contains(t, out, "after a day: 3 numbers, returned <nil>, 0 in Recv\n")
	require.NotContains(t, out, "deadlock", "a goroutine is left")
}

func TestWorkers_HandleTwoNumbersAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, new(service.Server))
		start := time.Now()
		_, err := handled(t.Context(), client, &pitfallsv1.CountRequest{To: 10},
			func(int64) { time.Sleep(time.Second) })
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestBroken_CountIsADataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { printResult(t, BrokenCount, nil) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "google.golang.org/grpc.(*csAttempt).recvMsg()")
}

func TestFixed_CountHasNoDataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { printResult(t, FixedCount, nil) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "returned <nil>")
}

type count = func(
	context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest, func(int64),
) error

// printResult calls code with a deadline of a minute, and prints what has
// happened after a day.
func printResult(t *testing.T, code count, padding []byte) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnCount: slowly(padding)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var numbers atomic.Int64
		handle := func(n int64) {
			if n == 0 {
				fmt.Println("a number that nobody sent")
			} else {
				numbers.Add(1)
			}
		}
		result := "still runs"
		go func() {
			err := code(ctx, client, &pitfallsv1.CountRequest{To: 3}, handle)
			result = fmt.Sprint("returned ", err)
		}()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		waiting := strings.Count(strings.Join(memservertest.Goroutines(), "\n\n"), "(*csAttempt).recvMsg(")
		fmt.Printf("after a day: %d numbers, %s, %d in Recv\n", numbers.Load(), result, waiting)
	})
}

// repeat calls the broken code 20 times in real time, and gives up on a call
// that takes longer than 50 ms.
func repeat(t *testing.T) {
	client := pitfalltest.Dial(t, &service.Server{})
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = BrokenCount(ctx, client, &pitfallsv1.CountRequest{To: 200, Padding: 100 << 10}, func(int64) {})
		}()
		select {
		case <-ended:
		case <-ctx.Done(): // Recv may wait forever
		}
		cancel()
	}
}

// slowly returns a handler that pauses after the headers and after each number,
// so that both workers wait for what comes next.
func slowly(padding []byte) func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
		if err := stream.SendHeader(nil); err != nil {
			return err
		}
		for i := range req.GetTo() {
			time.Sleep(100 * time.Millisecond)
			if err := stream.Send(&pitfallsv1.Number{Value: i + 1, Padding: padding}); err != nil {
				return err
			}
		}
		time.Sleep(100 * time.Millisecond)
		return nil
	}
}
