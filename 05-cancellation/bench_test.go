//go:build unix

package cancellation

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// BenchmarkSendWithin measures the CPU time that the goroutine and the timer
// for each tick cost. Calls with Send and calls with SendWithin take turns.
// Other work on the machine hardly changes the CPU time.
func BenchmarkSendWithin(b *testing.B) {
	const ticks = 10_000 // of a call
	senders := []func(serverStream, *tickerv1.Tick) error{
		serverStream.Send,
		func(s serverStream, tick *tickerv1.Tick) error { return SendWithin(time.Minute, s, tick) },
	}
	clients := make([]tickerv1.TickerServiceClient, len(senders))
	for i, send := range senders {
		tick := new(Exchange).Tick(1)
		srv := stub{OnWatch: func(_ *tickerv1.WatchRequest, stream serverStream) error {
			for range ticks {
				if err := send(stream, tick); err != nil {
					return err
				}
			}
			return nil
		}}
		clients[i] = tickerv1.NewTickerServiceClient(memservertest.Dial(b, func(r grpc.ServiceRegistrar) {
			tickerv1.RegisterTickerServiceServer(r, srv)
		}))
	}
	took := make([]time.Duration, len(senders))
	for b.Loop() {
		for i, client := range clients {
			start := cpuTime(b)
			stream := open(b, b.Context(), client)
			received := 0
			var err error
			for err == nil {
				if _, err = stream.Recv(); err == nil {
					received++
				}
			}
			took[i] += cpuTime(b) - start
			require.ErrorIs(b, err, io.EOF)
			require.Equal(b, ticks, received)
		}
	}
	sent := float64(b.N * ticks)
	b.ReportMetric(0, "ns/op") // of both
	b.ReportMetric(float64(took[0].Nanoseconds())/sent, "ns/Send")
	b.ReportMetric(float64(took[1].Nanoseconds())/sent, "ns/SendWithin")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "SendWithin/Send")
}

// cpuTime returns the time for which CPUs have run this process.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestBench_TableOfLesson writes the ranges of the committed results.
func TestBench_TableOfLesson(t *testing.T) {
	results, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	var least, most []float64
	for _, metric := range []string{"ns/Send", "ns/SendWithin", "SendWithin/Send"} {
		var values []float64
		for _, m := range regexp.MustCompile(`(\S+) `+metric+`\b(?:\s|$)`).FindAllStringSubmatch(string(results), -1) {
			value, err := strconv.ParseFloat(m[1], 64)
			require.NoError(t, err)
			values = append(values, value)
		}
		require.Len(t, values, 6, metric)
		least, most = append(least, slices.Min(values)), append(most, slices.Max(values))
	}
	golden.Section(t, "README.md", "send timeout", fmt.Sprintf(
		"| | CPU time per tick |\n|---|---|\n"+
			"| `Send` | %.1f to %.1f µs |\n"+
			"| `SendWithin` | %.1f to %.1f µs, which is %.1f to %.1f times as much |\n",
		least[0]/1000, most[0]/1000, least[1]/1000, most[1]/1000, least[2], most[2]))
}
