package cancellation

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

// One Tap watches both hops. It marks the second connection, from the gateway
// to the exchange, with #2. The gateway waits for a second before its call.
func TestWire_DeadlineShrinksAndCancelIsReset(t *testing.T) {
	wiretest.Frames(t, "testdata/cancel.txt", func(t *testing.T, tap *wire.Tap) {
		exchange := serveTicker(t, new(Exchange))
		upstream := exchange.client(t, grpc.WithContextDialer(tap.Dialer(exchange.dial)))
		gateway := serveTicker(t, NewGateway(upstream), grpc.ChainStreamInterceptor(waitFirst))
		c := gateway.client(t, grpc.WithContextDialer(tap.Dialer(gateway.dial)))

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		recvOnTime(t, open(t, ctx, c), 1)
		time.Sleep(500 * time.Millisecond)
		cancel()
	})
}
