package cancellation

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// A query runs until release or Interrupt, as a database's does that knows
// no context.
type query struct{ release, interrupt chan struct{} }

func (q query) Run() error {
	select {
	case <-q.release:
		return nil
	case <-q.interrupt:
		return errors.New("query: interrupted")
	}
}

func (q query) Interrupt() { close(q.interrupt) }

func TestAHandlerThatBlocksElsewhereEndsWhenItAlsoWaitsForItsContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(release chan struct{}) (careless, careful func(context.Context) error)
	}{
		{"on a channel", onAChannel},
		{"on a lock", onALock},
		{"on a slow query", onAQuery},
		{"on a file", onAFile},
		{"on work that nothing can interrupt", onWork},
	} {
		for _, careful := range []bool{true, false} {
			t.Run(tt.name+map[bool]string{true: "", false: ", carelessly"}[careful], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					defer close(release)
					wait, waitWell := tt.make(release)
					if careful {
						wait = waitWell
					}
					checkBlocked(t, wait, careful)
				})
			})
		}
	}
}

// checkBlocked cancels a stream whose handler is in wait, and looks a day
// later when the handler ended.
func checkBlocked(t *testing.T, wait func(context.Context) error, ends bool) {
	h := setup{exchange: script{watch: func(stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
		return wait(stream.Context())
	}}}.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	stream := watch(t, ctx, h.client)
	time.AfterFunc(3*time.Second, cancel)
	_, err := stream.Recv()
	require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)

	time.Sleep(24 * time.Hour)
	require.Equal(t, 3*time.Second, h.gateway.next(t).at)
	if !ends {
		require.Empty(t, h.exchange, "the handler still waits")
		return
	}
	exchange := h.exchange.next(t)
	require.Equal(t, 3*time.Second, exchange.at)
	require.Equal(t, context.Canceled, exchange.err)
}

func onAChannel(release chan struct{}) (careless, careful func(context.Context) error) {
	careless = func(context.Context) error {
		<-release
		return nil
	}
	careful = func(ctx context.Context) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return careless, careful
}

func onALock(release chan struct{}) (careless, careful func(context.Context) error) {
	lock := NewLock()
	_ = lock.Lock(context.Background()) // nobody holds it
	go func() {
		<-release
		lock.Unlock()
	}()
	careless = func(context.Context) error {
		// As a sync.Mutex waits. A real one would also stop the virtual
		// clock: a bubble does not see that it blocks.
		return lock.Lock(context.Background())
	}
	return careless, lock.Lock
}

func onAQuery(release chan struct{}) (careless, careful func(context.Context) error) {
	q := query{release, make(chan struct{})}
	careless = func(context.Context) error { return q.Run() }
	careful = func(ctx context.Context) error { return RunUntil(ctx, q.Run, q.Interrupt) }
	return careless, careful
}

// onAFile reads from a pipe that stays empty.
func onAFile(release chan struct{}) (careless, careful func(context.Context) error) {
	f, w := net.Pipe()
	go func() {
		<-release
		_ = w.Close()
	}()
	read := func() error {
		_, err := f.Read(make([]byte, 1))
		return err
	}
	careless = func(context.Context) error { return read() }
	careful = func(ctx context.Context) error {
		return RunUntil(ctx, read, func() { _ = f.SetReadDeadline(time.Now()) })
	}
	return careless, careful
}

func onWork(release chan struct{}) (careless, careful func(context.Context) error) {
	work := func() error {
		<-release
		return nil
	}
	careless = func(context.Context) error { return work() }
	careful = func(ctx context.Context) error { return WaitFor(ctx, work) }
	return careless, careful
}

// The bubble has no files: a read of a real one stops the virtual clock.
func TestAReadOfARealPipeEndsWithTheContext(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	reading, done := make(chan struct{}), make(chan error)
	go func() {
		done <- RunUntil(ctx, func() error {
			close(reading)
			_, err := r.Read(make([]byte, 1))
			return err
		}, func() { _ = r.SetReadDeadline(time.Now()) })
	}()

	<-reading
	cancel(io.ErrNoProgress)

	require.Equal(t, io.ErrNoProgress, <-done, "the cause")
}

func TestWorkThatIsDoneInTimeKeepsItsResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		failed := errors.New("failed")
		for _, result := range []error{nil, failed} {
			work := func() error {
				time.Sleep(time.Second)
				return result
			}
			require.Equal(t, result, RunUntil(ctx, work, func() { t.Error("interrupted") }))
			require.Equal(t, result, WaitFor(ctx, work))
		}
		lock := NewLock()
		require.NoError(t, lock.Lock(ctx))
		lock.Unlock()
		require.NoError(t, lock.Lock(ctx))
		time.Sleep(time.Hour)
		require.Equal(t, context.DeadlineExceeded, lock.Lock(ctx), "somebody holds it")
	})
}

func TestARegularFileHasNoDeadlineSoLookAtTheContextBetweenBlocks(t *testing.T) {
	f, err := os.Open("block_test.go")
	require.NoError(t, err)
	defer f.Close()
	require.ErrorIs(t, f.SetReadDeadline(time.Now()), os.ErrNoDeadline)
}
