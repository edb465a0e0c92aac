package cancellation

import (
	"context"
	"math"
	"net/http"
	"sync/atomic"
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

func TestTicks_IdleTimeoutStartsAgainAfterEachTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange, gateway, c := serveHops(t, silentAfter(60))
		const idle = 1500 * time.Millisecond
		ticks := Ticks(t.Context(), c, &tickerv1.WatchRequest{}, idle)
		for range 2 { // each loop makes a call of its own
			start := now().Truncate(time.Second)
			got, err := take(t, ticks, 61)
			synctest.Wait()
			require.Len(t, got, 60)
			require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
			require.ErrorContains(t, err, "the server sent nothing for 1.5s")
			require.Equal(t, start+time.Minute+idle, gateway.handlers.next(t).at)
			require.Equal(t, start+time.Minute+idle, exchange.handlers.next(t).at)
		}
	})
}

func TestTicks_IdleTimeoutIgnoresTimeInLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := serveHops(t, new(Exchange))
		for tick, err := range Ticks(t.Context(), c, &tickerv1.WatchRequest{}, 1500*time.Millisecond) {
			require.NoError(t, err)
			if tick.GetSequence() == 3 {
				break
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestTicks_IdleTimeoutDoesNotLimitOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveTicker(t, new(Exchange), grpc.MaxConcurrentStreams(1)).client(t)
		recvOnTime(t, open(t, t.Context(), c), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		_, err := take(t, Ticks(ctx, c, &tickerv1.WatchRequest{}, time.Second), 1)
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, time.Hour, time.Since(start))
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
			require.Equal(t, "-", atGateway.context, "the context ended before the handler")
			require.Equal(t, atGateway.at, exchange.handlers.next(t).at)

			n := requireRest(t, stream, codes.Aborted, "the client read nothing for 10s")
			require.Positive(t, n, "ticks that were sent before")
		})
	}
}

// A counting stream knows how many calls of Send have not returned.
type counting struct {
	serverStream
	waiting *atomic.Int64
}

func (c counting) Send(tick *tickerv1.Tick) error {
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	return c.serverStream.Send(tick)
}

// aborting returns a ticker whose handler ends because the client does not
// read. The channel gets the context of its stream when the handler returns.
func aborting() (ticker stub, waiting *atomic.Int64, returned chan context.Context) {
	waiting, returned = new(atomic.Int64), make(chan context.Context, 1)
	return stub{OnWatch: func(req *tickerv1.WatchRequest, stream serverStream) error {
		err := (&Exchange{Symbols: largeSymbol}).Watch(req, counting{stream, waiting})
		if status.Code(err) == codes.Aborted && waiting.Load() == 1 {
			returned <- stream.Context()
		}
		return err
	}}, waiting, returned
}

func TestSendWithin_ReturnEndsTheSendThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticker, waiting, returned := aborting()
		open(t, t.Context(), serveTicker(t, ticker).client(t))
		stream := <-returned
		synctest.Wait() // no time passes
		require.ErrorIs(t, stream.Err(), context.Canceled, "the context of the stream, after the handler returned")
		require.Zero(t, waiting.Load(), "calls of Send that wait")
	})
}

// Behind net/http, the context of a stream outlives its handler while a Send
// waits.
func TestSendWithin_ReturnLeavesSendBehindServeHTTP(t *testing.T) {
	for _, end := range []string{"the client leaves", "the client reads"} {
		subtest(t, end, func(t *testing.T) {
			ticker, waiting, returned := aborting()
			s := grpc.NewServer()
			tickerv1.RegisterTickerServiceServer(s, ticker)
			conn := memservertest.ServeHTTP(t, &http.Server{Handler: s}).Dial(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			client := open(t, ctx, tickerv1.NewTickerServiceClient(conn))

			stream := <-returned
			time.Sleep(10 * time.Minute)
			require.NoError(t, stream.Err(), "the context of the stream, after the handler returned")
			require.Equal(t, int64(1), waiting.Load(), "calls of Send that wait")
			if end == "the client reads" {
				requireRest(t, client, codes.Aborted, "the client read nothing for 1m0s")
			} else {
				cancel()
			}
			synctest.Wait()
			require.ErrorIs(t, stream.Err(), context.Canceled, end)
			require.Zero(t, waiting.Load(), "calls of Send that wait")
		})
	}
}

func TestSendTimeout_IsMinuteByDefault(t *testing.T) {
	for _, name := range []string{"exchange", "gateway"} {
		subtest(t, name, func(t *testing.T) {
			x := &Exchange{Symbols: largeSymbol}
			s := serveTicker(t, x)
			if name == "gateway" {
				x.SendTimeout = math.MaxInt64
				s = serveTicker(t, NewGateway(s.client(t)))
			}
			stream := open(t, t.Context(), s.client(t))
			time.Sleep(time.Hour)
			n := requireRest(t, stream, codes.Aborted, "the client read nothing for 1m0s")
			blocked := time.Duration(n+1) * time.Second // when the next tick was published
			require.Equal(t, blocked+time.Minute, s.handlers.next(t).at)
		})
	}
}

// The call has no other end, because the relay forgets the context.
func TestSendTimeout_EndsCallOfForgetfulRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, new(Exchange))
		gateway := serveTicker(t, forgetful{relay{upstream: exchange.client(t)}})
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()
		stream := open(t, ctx, gateway.client(t))
		recvOnTime(t, stream, 10)
		_, err := stream.Recv()
		require.Equal(t, codes.DeadlineExceeded.String(), status.Code(err).String(), "got %v", err)

		time.Sleep(24 * time.Hour)
		end := exchange.handlers.next(t)
		require.Zero(t, end.timeLeft, "the call had a deadline")
		require.InDelta(t, 80, end.at.Minutes(), 20, "when the buffers are full and the timeout has passed")
		require.Equal(t, codes.Aborted.String(), status.Code(end.err).String(), "got %v", end.err)
	})
}
