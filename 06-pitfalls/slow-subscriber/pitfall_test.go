package slowsubscriber

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestBroken_AllWaitForTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(BrokenHub)
		p := publish100(t, hub)

		p.publisher.StillRuns(t, 24*time.Hour)
		require.False(t, hub.mu.TryLock(), "Publish holds the lock while it waits")
		require.NotZero(t, p.got)
		require.Less(t, p.got, 100)

		ctx, lateLeaves := context.WithCancel(t.Context())
		late := pitfalltest.Go(func() error { _, err := subscribe(ctx, p.client); return err })
		for !waitsForTheLock("BrokenHub).Subscribe") {
			runtime.Gosched()
		}
		p.slowLeaves()
		require.NoError(t, late.Err(), "the late one has subscribed")
		lateLeaves()
		require.NoError(t, p.publisher.Err())
		synctest.Wait()
		require.Equal(t, 100, p.got)
	})
}

func TestFixed_DropsOnlyTheSlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publish100(t, new(FixedHub))

		start := time.Now()
		require.NoError(t, p.publisher.Err())
		require.Equal(t, 100*time.Millisecond, time.Since(start), "Publish waits for nobody")
		synctest.Wait()
		require.Equal(t, 100, p.got)
		require.Equal(t, 1, pitfalltest.OpenStreams(t, p.client), "the handler of the slow one has returned")

		late, err := service.Values(p.slow)
		require.NotEmpty(t, late)
		require.Less(t, len(late), 100)
		require.Equal(t, int64(len(late)), late[len(late)-1], "no number is missing before the end")
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.Equal(t, "more than 16 numbers behind", status.Convert(err).Message())
	})
}

// The first Send of a stream would send headers too, and then SendHeader
// would fail.
func TestBoth_SendNothingBeforeTheHeaders(t *testing.T) {
	for name, h := range map[string]hub{"broken": new(BrokenHub), "fixed": new(FixedHub)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			headers, sent := make(chan struct{}), make(chan struct{}, 1)
			var published *pitfalltest.Call
			var early int
			stream := &stub{ctx: ctx, sent: sent}
			stream.sendHeader = func() {
				published = pitfalltest.Go(func() error { h.Publish(&pitfallsv1.Number{}); return nil })
				for len(sent) == 0 && !waitsForTheLock("Hub).Publish") {
					runtime.Gosched()
				}
				early = len(sent)
				close(headers)
			}
			subscribed := pitfalltest.Go(func() error { return h.Subscribe(nil, stream) })
			<-headers
			require.Zero(t, early, "calls of Send")
			<-sent
			cancel()
			require.Equal(t, context.Canceled, subscribed.Err())
			require.NoError(t, published.Err())
		})
	}
}

// A stub is the stream of a handler.
type stub struct {
	subscriber
	ctx        context.Context
	sendHeader func()
	sent       chan struct{}
}

func (s *stub) Context() context.Context { return s.ctx }

func (s *stub) SendHeader(metadata.MD) error { s.sendHeader(); return nil }

func (s *stub) Send(*pitfallsv1.Number) error { s.sent <- struct{}{}; return nil }

// A publication is 100 numbers that are published to two subscribers.
type publication struct {
	client     pitfallsv1.PitfallServiceClient
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
	p := &publication{client: client, slow: slow, slowLeaves: cancel}
	go func() {
		for n, err := fast.Recv(); err == nil && n.GetValue() == int64(p.got+1); n, err = fast.Recv() {
			p.got++
		}
	}()
	p.publisher = pitfalltest.Go(func() error { return publish(t.Context(), client) })
	return p
}

// waitsForTheLock reports whether a goroutine waits for a mutex in function.
func waitsForTheLock(function string) bool {
	for _, stack := range memservertest.Goroutines() {
		if strings.Contains(stack, "sync.(*Mutex).Lock") && strings.Contains(stack, function) {
			return true
		}
	}
	return false
}
