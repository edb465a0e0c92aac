package cancellation

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// BenchmarkSendWithin measures what the goroutine and the timer for each tick
// cost. Calls with Send and calls with SendWithin take turns, and only the
// fastest call of each counts, because other work on the machine can only
// make a call slower.
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
	fastest := []time.Duration{math.MaxInt64, math.MaxInt64}
	for b.Loop() {
		for i, client := range clients {
			start := time.Now()
			stream := open(b, b.Context(), client)
			received := 0
			var err error
			for err == nil {
				if _, err = stream.Recv(); err == nil {
					received++
				}
			}
			fastest[i] = min(fastest[i], time.Since(start))
			require.ErrorIs(b, err, io.EOF)
			require.Equal(b, ticks, received)
		}
	}
	b.ReportMetric(0, "ns/op") // of both
	b.ReportMetric(float64(fastest[0].Nanoseconds())/ticks, "ns/Send")
	b.ReportMetric(float64(fastest[1].Nanoseconds())/ticks, "ns/SendWithin")
	b.ReportMetric(fastest[1].Seconds()/fastest[0].Seconds(), "SendWithin/Send")
}
