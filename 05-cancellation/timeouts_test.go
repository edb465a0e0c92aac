package cancellation

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestSendWithin_EndsHandlerWhoseClientDoesNotRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration // of the gateway
		ends    bool
	}{
		{"send timeout of 10 s", 10 * time.Second, true},
		{"no send timeout", math.MaxInt64, false},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			exchange := serveTicker(t, &Exchange{Symbols: largeSymbol, SendTimeout: math.MaxInt64})
			g := NewGateway(exchange.client(t))
			g.SendTimeout = tt.timeout
			gateway := serveTicker(t, g)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream := open(t, ctx, gateway.client(t))

			time.Sleep(24 * time.Hour)
			if !tt.ends {
				require.Empty(t, gateway.handlers, "the handler of the gateway has ended")
				require.Empty(t, exchange.handlers, "the handler of the exchange has ended")
				return
			}
			atGateway := gateway.handlers.next(t)
			require.Less(t, atGateway.at, 10*time.Minute)
			require.NoError(t, atGateway.ctx, "the context ended before the handler")
			require.Equal(t, atGateway.at, exchange.handlers.next(t).at)

			// The client now reads: first the ticks that were sent.
			require.Positive(t, requireRest(t, stream, codes.Aborted, "the client read nothing for 10s"))
		})
	}
}

// BenchmarkSendWithin measures what the goroutine and the timer for each tick
// cost.
func BenchmarkSendWithin(b *testing.B) {
	type sender = grpc.ServerStreamingServer[tickerv1.Tick]
	for _, bb := range []struct {
		name string
		send func(sender, *tickerv1.Tick) error
	}{
		{"Send", func(s sender, tick *tickerv1.Tick) error { return s.Send(tick) }},
		{"SendWithin", func(s sender, tick *tickerv1.Tick) error { return SendWithin(time.Minute, s, tick) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			tick := new(Exchange).Tick(1)
			endless := stub{OnWatch: func(_ *tickerv1.WatchRequest, stream sender) error {
				for {
					if err := bb.send(stream, tick); err != nil {
						return err
					}
				}
			}}
			conn := memservertest.Dial(b, func(r grpc.ServiceRegistrar) { tickerv1.RegisterTickerServiceServer(r, endless) })
			stream := open(b, b.Context(), tickerv1.NewTickerServiceClient(conn))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stream.Recv(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
