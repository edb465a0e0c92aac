package slowsubscriber

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
)

func TestBroken_AllWaitForTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(BrokenHub)
		p := publish100(t, hub)

		p.publisher.StillRuns(t, 24*time.Hour)
		require.False(t, hub.mu.TryLock(), "Publish holds the lock while it waits")
		require.NotZero(t, p.got)
		require.Less(t, p.got, 100)

		p.slowLeaves()
		require.NoError(t, p.publisher.Err())
		synctest.Wait()
		require.Equal(t, 100, p.got)
	})
}

func TestFixed_DropsOnlyTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publish100(t, new(FixedHub))

		require.NoError(t, p.publisher.EndsWithin(t, time.Minute))
		synctest.Wait()
		require.Equal(t, 100, p.got)

		late, err := service.Values(p.slow)
		require.NotEmpty(t, late)
		require.Less(t, len(late), 100)
		require.Equal(t, int64(len(late)), late[len(late)-1], "no number is missing before the end")
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.Equal(t, "more than 16 numbers behind", status.Convert(err).Message())
	})
}

// A publication is 100 numbers that are published to two subscribers.
type publication struct {
	publisher  *pitfalltest.Call
	slow       subscription // reads nothing
	slowLeaves context.CancelFunc
	got        int // numbers that the other subscriber, which always reads, has received in order
}

func publish100(t *testing.T, h hub) *publication {
	client := pitfalltest.Dial(t, serve(h))
	ctx, cancel := context.WithCancel(t.Context())
	slow, err := subscribe(ctx, client)
	require.NoError(t, err)
	fast, err := subscribe(t.Context(), client)
	require.NoError(t, err)
	p := &publication{slow: slow, slowLeaves: cancel}
	go func() {
		for n, err := fast.Recv(); err == nil && n.GetValue() == int64(p.got+1); n, err = fast.Recv() {
			p.got++
		}
	}()
	p.publisher = pitfalltest.Go(func() error { return publish(t.Context(), client) })
	return p
}
