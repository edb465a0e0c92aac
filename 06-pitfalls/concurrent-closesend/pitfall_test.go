package concurrentclosesend

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		"after 600ms: [], rpc error: code = Internal desc = SendMsg called after CloseSend\n")
}

func TestFixed_EchoReturnsTheAnswers(t *testing.T) {
	require.Contains(t, pitfalltest.Process(t, func() { printResult(t, FixedEcho) }),
		"after 1.5s: [1 2], <nil>\n")
}

func TestBroken_EchoIsADataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { repeat(t, BrokenEcho) })
	require.Contains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "google.golang.org/grpc.(*clientStream).CloseSend()")
}

func TestFixed_EchoHasNoDataRace(t *testing.T) {
	report := pitfalltest.RaceReport(t, func() { repeat(t, FixedEcho) })
	require.NotContains(t, report, "WARNING: DATA RACE")
	require.Contains(t, report, "[1 2], <nil>")
}

// repeat runs the code 50 times. The race detector misses a race if something
// else happens to order the two calls.
func repeat(t *testing.T, code echo) {
	for range 50 {
		printResult(t, code)
	}
}

// printResult prints how long the code took and what it returned.
func printResult(t *testing.T, code echo) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, late)
		start := time.Now()
		values, err := stopAfterTwo(t.Context(), client, code)
		fmt.Printf("after %v: %v, %v\n", time.Since(start), values, err)
	})
}

// Send waits for flow control and CloseSend does not wait, so the message
// follows the end of its stream.
func TestCloseSend_OvertakesASendThatWaits(t *testing.T) {
	require.Contains(t, pitfalltest.Process(t, func() { overtake(t) }),
		"Send: <nil>; RecvMsg: rpc error: code = Internal desc = "+
			"stream terminated by RST_STREAM with error code: STREAM_CLOSED\n")
}

func overtake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, slow).Sum(t.Context())
		require.NoError(t, err)
		var last error // of the last Send
		closed := false
		sender := pitfalltest.Go(func() error {
			for !closed {
				last = stream.Send(&pitfallsv1.Number{Padding: make([]byte, 10<<10)})
			}
			return last
		})
		sender.StillRuns(t, time.Second/2)

		closed = true
		require.NoError(t, stream.CloseSend())

		fmt.Printf("Send: %v; ", sender.Err())
		fmt.Printf("RecvMsg: %v\n", stream.RecvMsg(new(pitfallsv1.SumResponse)))
	})
}

// slow is a server that takes a second for each number.
var slow = &service.Server{
	OnSum: func(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
		for {
			time.Sleep(time.Second)
			_, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(new(pitfallsv1.SumResponse))
			}
			if err != nil {
				return err
			}
		}
	},
}

type echo = func(context.Context, pitfallsv1.PitfallServiceClient, <-chan int64, <-chan struct{}) ([]int64, error)

// stopAfterTwo offers the numbers from 1 on, one every 200 ms, and closes stop
// between the second and the third.
func stopAfterTwo(ctx context.Context, c pitfallsv1.PitfallServiceClient, echo echo) ([]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	values, stop := make(chan int64), make(chan struct{})
	time.AfterFunc(500*time.Millisecond, func() { close(stop) })
	go func() {
		defer close(values)
		for i := int64(1); ; i++ {
			time.Sleep(200 * time.Millisecond)
			select {
			case values <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	return echo(ctx, c, values, stop)
}

// late is a server that answers a second after the client has half-closed.
var late = &service.Server{
	OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
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
