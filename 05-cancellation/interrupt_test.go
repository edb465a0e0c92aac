package cancellation

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// Each subtest has a handler that waits only for something else, and handlers
// that also wait for their context.
func TestBlockedHandler_EndsIfItWaitsForContext(t *testing.T) {
	subtest(t, "channel, or work that nothing can interrupt", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		work := func() error {
			<-release
			return nil
		}
		require.False(t, endsWithCall(t, func(context.Context) error { return work() }))
		require.True(t, endsWithCall(t, func(ctx context.Context) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}))
		require.True(t, endsWithCall(t, func(ctx context.Context) error { return WaitFor(ctx, work) }))
	})
	subtest(t, "lock", func(t *testing.T) {
		lock := semaphore.NewWeighted(1)
		require.NoError(t, lock.Acquire(t.Context(), 1))
		defer lock.Release(1)
		require.False(t, endsWithCall(t, func(context.Context) error {
			// A sync.Mutex also waits without a context. It cannot be used
			// here, because it would stop the clock of the bubble.
			return lock.Acquire(context.Background(), 1)
		}))
		require.True(t, endsWithCall(t, func(ctx context.Context) error {
			return lock.Acquire(ctx, 1)
		}))
	})
	subtest(t, "query", func(t *testing.T) {
		release, interrupted := make(chan struct{}), make(chan struct{})
		defer close(release)
		query := func() error {
			select {
			case <-release:
				return nil
			case <-interrupted:
				return errors.New("query: interrupted")
			}
		}
		require.False(t, endsWithCall(t, func(context.Context) error { return query() }))
		require.True(t, endsWithCall(t, func(ctx context.Context) error {
			return RunUntil(ctx, query, func() { close(interrupted) })
		}))
	})
	subtest(t, "pipe", func(t *testing.T) {
		pipe, w := net.Pipe()
		defer w.Close()
		read := func() error {
			_, err := pipe.Read(make([]byte, 1))
			return err
		}
		require.False(t, endsWithCall(t, func(context.Context) error { return read() }))
		require.True(t, endsWithCall(t, func(ctx context.Context) error {
			return RunUntil(ctx, read, func() { _ = pipe.SetReadDeadline(time.Now()) })
		}))
	})
}

// endsWithCall reports whether a handler that calls wait ends in the instant
// in which the client cancels. If not, the handler still runs a day later.
func endsWithCall(t *testing.T, wait func(context.Context) error) bool {
	t.Helper()
	exchange, gateway, c := serveHops(t, stub{OnWatch: func(_ *tickerv1.WatchRequest, stream serverStream) error {
		return wait(stream.Context())
	}})
	ctx, cancel := context.WithCancel(t.Context())
	stream := open(t, ctx, c)
	time.AfterFunc(3*time.Second, cancel)
	_, err := stream.Recv()
	canceled := now()
	require.Equal(t, codes.Canceled.String(), status.Code(err).String(), "got %v", err)

	time.Sleep(24 * time.Hour)
	require.Equal(t, canceled, gateway.handlers.next(t).at)
	if len(exchange.handlers) == 0 {
		return false
	}
	end := exchange.handlers.next(t)
	require.Equal(t, canceled, end.at)
	require.Equal(t, context.Canceled, end.err)
	return true
}

// This test runs outside of a bubble, because a read of a real pipe stops
// the clock of a bubble.
func TestRunUntil_InterruptsReadOfRealPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows, a pipe has no deadlines")
	}
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

	_, err = w.WriteString("x")
	require.NoError(t, err)
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the deadline is still in the past")
	require.NoError(t, r.SetReadDeadline(time.Time{}))
	_, err = r.Read(make([]byte, 1))
	require.NoError(t, err)
}

func TestRunUntil_InterruptsReadOfSocket(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(io.ErrNoProgress) })
	err = RunUntil(ctx, func() error {
		_, err := conn.Read(make([]byte, 1))
		return err
	}, func() { _ = conn.SetReadDeadline(time.Now()) })
	require.Equal(t, io.ErrNoProgress, err, "the cause")
}

func TestRunUntil_WaitsForWorkAndInterrupt(t *testing.T) {
	for _, tt := range []struct {
		name      string
		work      time.Duration // after the cancel
		interrupt time.Duration
		result    error
		want      error
	}{
		{"work is slow", time.Hour, time.Minute, errors.New("interrupted"), io.ErrNoProgress},
		{"interrupt is slow", time.Minute, time.Hour, errors.New("interrupted"), io.ErrNoProgress},
		{"work is done all the same", time.Hour, 0, nil, nil},
	} {
		subtest(t, tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(io.ErrNoProgress)
			err := RunUntil(ctx, func() error {
				time.Sleep(tt.work)
				return tt.result
			}, func() { time.Sleep(tt.interrupt) })
			require.Equal(t, tt.want, err)
			require.Equal(t, time.Hour, now())
		})
	}
}

func TestWaitFor_ReturnsCauseOfContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	release, done := make(chan struct{}), make(chan struct{})
	require.Equal(t, io.ErrNoProgress, WaitFor(ctx, func() error { <-release; close(done); return nil }))
	close(release)
	<-done // work has run on
}

func TestInterrupt_WorkDoneInTimeKeepsResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, result := range []error{nil, errors.New("failed")} {
			work := func() error {
				time.Sleep(time.Second)
				return result
			}
			require.Equal(t, result, RunUntil(ctx, work, func() { t.Error("interrupted") }))
			require.Equal(t, result, WaitFor(ctx, work))
		}
	})
}

func TestRegularFile_HasNoDeadline(t *testing.T) {
	f, err := os.Open("interrupt.go")
	require.NoError(t, err)
	defer f.Close()
	require.ErrorIs(t, f.SetReadDeadline(time.Now()), os.ErrNoDeadline)
}
