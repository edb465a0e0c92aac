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
)

// slowly makes a gateway think for a second before it calls its upstream.
func slowly(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	time.Sleep(time.Second)
	return handler(srv, stream)
}

func TestTheDeadlineThatTheClientSetShrinksOverTheHops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{gatewayOptions: []grpc.ServerOption{grpc.ChainStreamInterceptor(slowly)}}.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()

		stream := watch(t, ctx, h.client)
		recv(t, stream, 9) // ticks 2 to 10: the first one was missed
		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 10500*time.Millisecond, now())
		gateway, call, exchange := h.gateway.next(t), h.call.next(t), h.exchange.next(t)
		require.Equal(t, 9500*time.Millisecond, exchange.budget, "of 10.5 s, 1 s was spent")
		require.Equal(t, 10500*time.Millisecond, gateway.at)
		require.Equal(t, 10500*time.Millisecond, call.at)
		require.Equal(t, 10500*time.Millisecond, exchange.at)
	})
}

// A forgetfulGateway makes the mistake that this file is about.
type forgetfulGateway struct {
	tickerv1.UnimplementedTickerServiceServer
	upstream tickerv1.TickerServiceClient
}

func (g forgetfulGateway) Watch(req *tickerv1.WatchRequest, down grpc.ServerStreamingServer[tickerv1.Tick]) error {
	up, err := g.upstream.Watch(context.Background(), req) // not down.Context()
	for err == nil {
		var tick *tickerv1.Tick
		if tick, err = up.Recv(); err == nil {
			err = down.Send(tick)
		}
	}
	return err
}

func forgetful(upstream tickerv1.TickerServiceClient) tickerv1.TickerServiceServer {
	return forgetfulGateway{upstream: upstream}
}

func TestAGatewayThatForgetsTheContextLeavesTheUpstreamRunning(t *testing.T) {
	for _, tt := range []struct {
		name      string
		exchange  func() *Exchange
		sendLimit time.Duration
		runsOn    bool
	}{
		{"for ever", bulky, math.MaxInt64, true},
		{"until its buffers are full and its limit for a Send is over", func() *Exchange { return NewExchange(1) }, time.Minute, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := tt.exchange()
				x.SendLimit = tt.sendLimit
				h := setup{exchange: x, gateway: forgetful}.start(t)
				ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
				defer cancel()
				stream := watch(t, ctx, h.client)
				recv(t, stream, 10)
				_, err := stream.Recv()
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)

				time.Sleep(24 * time.Hour)
				require.Equal(t, 11*time.Second, h.gateway.next(t).at, "when it meets the next tick")
				if tt.runsOn {
					require.Empty(t, h.exchange, "the exchange still watches for nobody")
					return
				}
				exchange := h.exchange.next(t)
				require.Zero(t, exchange.budget, "no deadline came with the call")
				require.InDelta(t, 80, exchange.at.Minutes(), 20, "it ran on for %v", exchange.at)
				require.Equal(t, codes.Aborted, status.Code(exchange.err), "got %v", exchange.err)
			})
		})
	}
}
