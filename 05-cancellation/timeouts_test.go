package cancellation

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestDeadline_EndsStreamThatIsNeverIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange))
		gateway := serveTicker(t, NewGateway(exchange.client(t)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second/2)
		defer cancel()
		stream := open(t, ctx, gateway.client(t))
		recvOnTime(t, stream, 60)
		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, time.Minute+time.Second/2, gateway.handlers.next(t).at)
		require.Equal(t, time.Minute+time.Second/2, exchange.handlers.next(t).at)
	})
}

func TestRecvWithin_TimeoutStartsAgainWithEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, silentAfter(60))
		gateway := serveTicker(t, NewGateway(exchange.client(t)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := open(t, ctx, gateway.client(t))
		const idle = 1500 * time.Millisecond
		for range 60 {
			_, err := recvWithin(idle, stream, cancel)
			require.NoError(t, err)
		}
		require.Equal(t, time.Minute, now())

		_, err := recvWithin(idle, stream, cancel)
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the server sent nothing for 1.5s")
		require.Equal(t, time.Minute+idle, gateway.handlers.next(t).at)
		require.Equal(t, time.Minute+idle, exchange.handlers.next(t).at)
	})
}

func TestRecvWithin_IgnoresTimeBetweenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange))
		gateway := serveTicker(t, NewGateway(exchange.client(t)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := open(t, ctx, gateway.client(t))
		for n := range uint64(3) {
			time.Sleep(time.Minute)
			tick, err := recvWithin(time.Second, stream, cancel)
			require.NoError(t, err)
			require.Equal(t, n+1, tick.GetSequence())
		}
	})
}

func TestSendWithin_EndsHandlerWhoseClientDoesNotRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration // of the gateway
		ends    bool
	}{
		{"send timeout of 10 s", 10 * time.Second, true},
		{"no send timeout", math.MaxInt64, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
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
				atGateway, atExchange := gateway.handlers.next(t), exchange.handlers.next(t)
				require.Equal(t, atGateway.at, atExchange.at)
				require.Less(t, atGateway.at, 10*time.Minute)
				require.Equal(t, codes.Aborted, status.Code(atGateway.err), "got %v", atGateway.err)
				require.NoError(t, atGateway.ctx, "the context ended before the handler")
				require.Equal(t, context.Canceled, atExchange.cause)

				// The client now reads: first the ticks that were sent.
				n, err := recvRest(t, stream)
				require.Positive(t, n, "ticks")
				require.Equal(t, codes.Aborted, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, "the client read nothing for 10s")
			})
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
