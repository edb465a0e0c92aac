package serve_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

func TestDrain_TakesNoTimeWithoutOpenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		require.Equal(t, "SERVING", healthOf(t, conn))
		start := time.Now()
		s.Signal()
		require.NoError(t, s.Wait())
		require.Zero(t, time.Since(start))
	})
}

func TestDrain_MayComeBeforeTheFirstAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, serve.New().ServeUntil(ctx, bufconn.Listen(1)))
	})
}

func TestDrain_StreamThatFinishesInTimeEndsWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{})
		s, conn := start(t, func(grpc.ServerStream) error {
			<-told
			time.Sleep(drain - 1)
			return nil
		})
		calls := 0
		s.OnDrain = func() { calls++; close(told) }
		stream := open(t, conn)

		start := time.Now()
		s.Signal()
		require.Equal(t, io.EOF, end(stream))
		require.NoError(t, s.Wait())
		require.Equal(t, drain-1, time.Since(start))
		require.Equal(t, 1, calls)
	})
}

func TestDrain_StreamThatDoesNotIsCanceledAtTheLimit(t *testing.T) {
	for _, limit := range []time.Duration{0, drain, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s, conn := start(t, untilCanceled)
			s.Drain = limit
			stream := open(t, conn)

			start := time.Now()
			s.Signal()
			require.Equal(t, codes.Unavailable, status.Code(end(stream)))
			require.Equal(t, limit, time.Since(start))
			require.NoError(t, s.Wait())
			require.Equal(t, limit, time.Since(start))
		})
	}
}

func TestGracefulStop_HasNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		open(t, conn)
		stopped := make(chan struct{})
		go func() { s.GracefulStop(); close(stopped) }()

		time.Sleep(24 * time.Hour)
		synctest.Wait()
		select {
		case <-stopped:
			require.Fail(t, "GracefulStop returned while a call was open")
		default:
		}
		s.Stop()
		<-stopped
		require.ErrorContains(t, s.Wait(), "serve ended early", "ctx was not done")
	})
}

func TestDrain_HandlersHaveASecondToCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(cleanup - 1)
			return nil
		})
		open(t, conn)
		start := time.Now()
		s.Signal()
		require.NoError(t, s.Wait())
		require.Equal(t, drain+cleanup-1, time.Since(start))
	})
}

func TestDrain_HandlerThatIgnoresItsContextIsAnError(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{drain: drain + cleanup, 0: 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			s, conn := start(t, func(grpc.ServerStream) error { <-release; return nil })
			s.Drain = limit
			open(t, conn)
			start := time.Now()
			s.Signal()
			require.EqualError(t, s.Wait(), "a handler still runs 1s after its context ended")
			require.Equal(t, want, time.Since(start))
		})
	}
}

// A connection on which nothing follows, while another one has a call.
func TestDrain_WaitsForAHandshakeOf3s(t *testing.T) {
	for want, opts := range map[string][]grpc.ServerOption{
		"": nil,
		"a handler still runs 1s after its context ended": {grpc.ConnectionTimeout(time.Minute)},
	} {
		synctest.Test(t, func(t *testing.T) {
			canceled := make(chan time.Time, 1)
			s := servetest.Start(t, serve.New(append(opts, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
				err := untilCanceled(stream)
				canceled <- time.Now()
				return err
			}))...))
			open(t, s.Dial(t))
			silent, err := s.DialContext(t.Context(), "")
			require.NoError(t, err)
			defer silent.Close()
			start := time.Now()
			time.Sleep(time.Second)
			s.Signal()
			if err := s.Wait(); want != "" {
				require.EqualError(t, err, want)
				require.Equal(t, 5*time.Second, time.Since(start))
				return
			}
			require.Equal(t, 3*time.Second, time.Since(start))
			require.Equal(t, 3*time.Second, (<-canceled).Sub(start))
		})
	}
}

func TestServeUntil_ListenerThatFailsIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{})
		s, conn := start(t, func(grpc.ServerStream) error { <-told; return nil })
		s.OnDrain = func() { close(told) }
		stream := open(t, conn)
		require.NoError(t, s.Listener.Close())
		require.EqualError(t, s.Wait(), "serve ended early\nclosed")
		require.Equal(t, io.EOF, end(stream), "the open call could finish")
	})
}
