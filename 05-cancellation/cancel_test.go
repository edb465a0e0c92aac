package cancellation

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestACancelEndsBothHopsInTheSameInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		stream := watch(t, ctx, h.client)
		recv(t, stream, 3)
		time.Sleep(500 * time.Millisecond)

		cancel()
		_, err := stream.Recv()
		synctest.Wait() // until nothing moves; no time passes

		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		gateway, call, exchange := h.gateway.next(t), h.call.next(t), h.exchange.next(t)
		require.Equal(t, 3500*time.Millisecond, gateway.at)
		require.Equal(t, 3500*time.Millisecond, call.at)
		require.Equal(t, 3500*time.Millisecond, exchange.at)
		require.ErrorIs(t, gateway.ctx, context.Canceled)
		require.ErrorIs(t, exchange.ctx, context.Canceled)
	})
}

func TestTheCauseOfACancelStaysOnItsSideOfTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := setup{}.start(t)
		closed := errors.New("the user closed the tab")
		ctx, cancel := context.WithCancelCause(t.Context())
		stream := watch(t, ctx, h.client)
		recv(t, stream, 1)

		cancel(closed)
		_, err := stream.Recv()
		synctest.Wait()

		require.Equal(t, "context canceled", status.Convert(err).Message())
		require.Equal(t, closed, context.Cause(stream.Context()))
		require.Equal(t, context.Canceled, h.gateway.next(t).cause)
		require.Equal(t, context.Canceled, h.exchange.next(t).cause)
	})
}
