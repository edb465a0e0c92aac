package concurrentclosesend

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// The code runs in another process, because its data race would fail the test
// under -race.
func TestBroken_EchoLosesTheAnswers(t *testing.T) {
	require.Contains(t, pitfalltest.Process(t, func() { printResult(t, BrokenEcho) }),
		"after 300ms: [], rpc error: code = Internal desc = SendMsg called after CloseSend\n")
}

func TestFixed_EchoReturnsTheAnswers(t *testing.T) {
	require.Contains(t, pitfalltest.Process(t, func() { printResult(t, FixedEcho) }),
		"after 2s: [1 2], <nil>\n")
}

func TestBroken_EchoIsADataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { repeat(t, BrokenEcho) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "google.golang.org/grpc.(*clientStream).CloseSend()")
}

func TestFixed_EchoHasNoDataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { repeat(t, FixedEcho) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "returned <nil>")
}

// What arrives after the return is for the next call, which gets the same
// channel.
func TestEcho_TakesNoValueAfterItsReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, pitfalltest.Ends(nil), pitfalltest.SlowSend())
		pitfalltest.InARow(func(int) {
			values := make(chan int64, 10)
			values <- 1
			answers, err := FixedEcho(t.Context(), client, values, nil)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, answers)
			values <- 2
			time.Sleep(time.Minute)
			require.Len(t, values, 1)
		})
	})
}

type echo = func(
	context.Context, pitfallsv1.PitfallServiceClient, <-chan int64, <-chan struct{},
) ([]int64, error)

// repeat runs the code 50 times in real time, with a value that arrives while
// stop is closed. The race detector misses a race if something else happens to
// order the two calls, as a bubble does.
func repeat(t *testing.T, code echo) {
	client := pitfalltest.Dial(t, &service.Server{})
	for range 50 {
		values, stop := make(chan int64), make(chan struct{})
		go func() {
			select {
			case values <- 1:
			case <-t.Context().Done():
			}
		}()
		go close(stop)
		_, err := code(t.Context(), client, values, stop)
		fmt.Println("returned", err)
	}
}

// printResult gives the code two numbers, closes stop, and offers a third
// number. printResult prints how long the code took and what it returned.
func printResult(t *testing.T, code echo) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, late)
		values, stop := make(chan int64, 3), make(chan struct{})
		values <- 1
		values <- 2
		time.AfterFunc(200*time.Millisecond, func() { close(stop) })
		time.AfterFunc(300*time.Millisecond, func() { values <- 3 })

		start := time.Now()
		answers, err := code(t.Context(), client, values, stop)
		fmt.Printf("after %v: %v, %v\n", time.Since(start), answers, err)
	})
}

// Send waits for flow control and CloseSend does not wait, so the message
// follows the end of its stream.
func TestCloseSend_OvertakesASendThatWaits(t *testing.T) {
	require.Contains(t, pitfalltest.Process(t, func() { overtake(t) }),
		"Send: <nil>; Recv: rpc error: code = Internal desc = "+
			"stream terminated by RST_STREAM with error code: STREAM_CLOSED\n")
}

func overtake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, late).Echo(t.Context())
		require.NoError(t, err)
		closed := false
		sender := pitfalltest.Go(func() error {
			for !closed {
				err = stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)})
			}
			return err
		})
		sender.StillRuns(t, time.Second/2)

		closed = true
		require.NoError(t, stream.CloseSend())

		fmt.Printf("Send: %v; ", sender.Err())
		_, err = stream.Recv()
		fmt.Printf("Recv: %v\n", err)
	})
}

// late is a server that begins to read after a second, and answers a second
// after it has read everything up to the half-close.
var late = &service.Server{
	OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
		time.Sleep(time.Second)
		values, err := service.Values(stream)
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
		for _, v := range values {
			if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
				return err
			}
		}
		return nil
	},
}
