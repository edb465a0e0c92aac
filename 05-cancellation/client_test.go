package cancellation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

func TestTicks_ReportOKAsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveTicker(t, failAfter(3, codes.OK, new(Exchange))).client(t)
		got, err := take(t, Ticks(t.Context(), c, &tickerv1.WatchRequest{}, time.Minute), 4)
		require.Len(t, got, 3)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the server ended the stream")
	})
}

func TestTicks_CancelCallAfterIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange := serveTicker(t, silentAfter(2))
		gateway := serveTicker(t, NewGateway(exchange.client(t)))
		got, err := take(t, Ticks(t.Context(), gateway.client(t), &tickerv1.WatchRequest{}, time.Minute), 3)
		synctest.Wait()
		require.Len(t, got, 2)
		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, time.Minute+2*time.Second, gateway.handlers.next(t).at)
		require.Equal(t, time.Minute+2*time.Second, exchange.handlers.next(t).at)
	})
}
