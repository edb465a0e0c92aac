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

func TestTicks_IdleTimeoutStartsAgainAfterEachTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exchange, gateway, c := serveHops(t, silentAfter(60))
		const idle = 1500 * time.Millisecond
		got, err := take(t, Ticks(t.Context(), c, &tickerv1.WatchRequest{}, idle), 61)
		synctest.Wait()
		require.Len(t, got, 60)
		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the server sent nothing for 1.5s")
		require.Equal(t, time.Minute+idle, gateway.handlers.next(t).at)
		require.Equal(t, time.Minute+idle, exchange.handlers.next(t).at)
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
