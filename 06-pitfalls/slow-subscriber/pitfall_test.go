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
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_AllWaitForTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(BrokenHub)
		p := publish100(t, hub)

		p.publisher.StillRuns(t, 24*time.Hour)
		require.False(t, hub.mu.TryLock(), "Publish holds the lock while it waits")
		require.NotEmpty(t, p.got)
		require.Less(t, len(p.got), 100)
		require.Equal(t, upTo(len(p.got)), p.got)

		p.slowLeaves()
		require.NoError(t, p.publisher.Err())
		synctest.Wait()
		require.Equal(t, upTo(100), p.got)
	})
}

func TestFixed_DropsOnlyTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publish100(t, new(FixedHub))

		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, p.got, 100)
		require.Equal(t, upTo(100), p.got)
		require.NoError(t, p.publisher.Err())

		late, err := service.Values(p.slow)
		require.Less(t, len(late), 100)
		require.Equal(t, upTo(len(late)), late, "numbers that were sent before still arrive")
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.Equal(t, "more than 16 numbers behind", status.Convert(err).Message())
	})
}

// A publication is 100 numbers that are published to two subscribers.
type publication struct {
	publisher  *pitfalltest.Call
	slow       subscription // reads nothing
	slowLeaves context.CancelFunc
	got        []int64 // received by the other subscriber, which reads all the time
}

func publish100(t *testing.T, h hub) *publication {
	server := pitfalltest.Serve(t, serve(h))
	dial := func() pitfallsv1.PitfallServiceClient { return pitfallsv1.NewPitfallServiceClient(server.Dial(t)) }
	ctx, cancel := context.WithCancel(t.Context())
	slow, err := subscribe(ctx, dial())
	require.NoError(t, err)
	fast, err := subscribe(t.Context(), dial())
	require.NoError(t, err)
	publisher := dial()
	p := &publication{slow: slow, slowLeaves: cancel}
	go func() {
		for n, err := fast.Recv(); err == nil; n, err = fast.Recv() {
			p.got = append(p.got, n.GetValue())
		}
	}()
	p.publisher = pitfalltest.Go(func() error { return publish(t.Context(), publisher, 100) })
	return p
}

func upTo(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i + 1)
	}
	return values
}
