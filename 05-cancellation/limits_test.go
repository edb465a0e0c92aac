package cancellation

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestADeadlineEndsAStreamWhoseMessagesAreAllInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second/2)
		defer cancel()
		stream := watch(t, ctx, h.client)
		recv(t, stream, 60)
		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, time.Minute+time.Second/2, h.gateway.next(t).at)
		require.Equal(t, time.Minute+time.Second/2, h.exchange.next(t).at)
	})
}

func TestAnIdleLimitStartsAnewWithEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{exchange: fallsSilent(60)}.start(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stream := watch(t, ctx, h.client)
		const limit = 1500 * time.Millisecond
		for range 60 {
			_, err := RecvWithin(limit, cancel, stream)
			require.NoError(t, err)
		}
		require.Equal(t, time.Minute, now())

		_, err := RecvWithin(limit, cancel, stream)
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the server sent nothing for 1.5s")
		require.Equal(t, time.Minute+limit, h.gateway.next(t).at)
		require.Equal(t, time.Minute+limit, h.exchange.next(t).at)
	})
}

func TestWhatYouDoBetweenTwoRecvsIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stream := watch(t, ctx, h.client)
		for n := range 3 {
			time.Sleep(time.Minute)
			tick, err := RecvWithin(time.Second, cancel, stream)
			require.NoError(t, err)
			require.Equal(t, uint64(n+1), tick.GetSequence())
		}
	})
}

func TestAWatcherThatDoesNotReadEndsAfterTheLimitForOneSend(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit time.Duration // of the gateway
		ends  bool
	}{
		{"with the limit", 10 * time.Second, true},
		{"without a limit", math.MaxInt64, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := bulky()
				x.SendLimit = math.MaxInt64
				h := setup{exchange: x, gateway: withSendLimit(tt.limit)}.start(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stream := watch(t, ctx, h.client)

				time.Sleep(24 * time.Hour)
				if !tt.ends {
					require.Empty(t, h.gateway, "the handler still waits")
					require.Empty(t, h.exchange, "so does its upstream")
					return
				}
				gateway, exchange := h.gateway.next(t), h.exchange.next(t)
				require.Equal(t, gateway.at, exchange.at)
				require.Less(t, gateway.at, 10*time.Minute)
				require.Equal(t, codes.Aborted, status.Code(gateway.err), "got %v", gateway.err)
				require.NoError(t, gateway.ctx, "the handler ended, not its context")
				require.Equal(t, context.Canceled, exchange.cause)

				// The client reads after all: first what was sent.
				checkEnd(t, stream, codes.Aborted, "you read nothing for 10s")
			})
		})
	}
}

func withSendLimit(limit time.Duration) func(tickerv1.TickerServiceClient) tickerv1.TickerServiceServer {
	return func(upstream tickerv1.TickerServiceClient) tickerv1.TickerServiceServer {
		g := NewGateway(upstream)
		g.SendLimit = limit
		return g
	}
}
