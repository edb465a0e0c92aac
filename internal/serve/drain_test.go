package serve

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
)

// untilCut is a handler that nobody tells to finish.
func untilCut(stream grpc.ServerStream) error {
	<-stream.Context().Done()
	return nil
}

func TestWithoutOpenCallsTheDrainTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, untilCut)
		require.Equal(t, "SERVING", healthOf(t, s.conn))
		start := time.Now()
		s.signal()
		require.NoError(t, <-s.served)
		require.Zero(t, time.Since(start))
	})
}

func TestASignalBeforeTheFirstAcceptIsADrainToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, New().ServeUntil(ctx, bufconn.Listen(1)))
	})
}

func TestAStreamThatFinishesInTimeGetsItsOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{})
		s := start(t, func(grpc.ServerStream) error {
			<-told
			time.Sleep(drain - 1)
			return nil
		})
		calls := 0
		s.OnDrain = func() { calls++; close(told) }
		stream := s.open(t)

		start := time.Now()
		s.signal()
		require.Equal(t, io.EOF, end(stream))
		require.NoError(t, <-s.served)
		require.Equal(t, drain-1, time.Since(start))
		require.Equal(t, 1, calls)
	})
}

func TestAStreamThatDoesNotIsCutAfterExactlyDrain(t *testing.T) {
	for _, limit := range []time.Duration{0, drain, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, untilCut)
			s.Drain = limit
			stream := s.open(t)

			start := time.Now()
			s.signal()
			require.Equal(t, codes.Unavailable, status.Code(end(stream)))
			require.Equal(t, limit, time.Since(start))
			require.NoError(t, <-s.served)
			require.Equal(t, limit, time.Since(start))
		})
	}
}

func TestGracefulStopAloneHasNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, untilCut)
		s.open(t)
		stopped := make(chan struct{})
		go func() { s.GracefulStop(); close(stopped) }()

		time.Sleep(24 * time.Hour)
		synctest.Wait()
		select {
		case <-stopped:
			require.Fail(t, "it returned")
		default:
		}
		s.Stop()
		<-stopped
		require.Error(t, <-s.served, "nobody asked for it")
	})
}

func TestHandlersThatWereCutMayCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(cleanup - 1)
			return nil
		})
		s.open(t)
		start := time.Now()
		s.signal()
		require.NoError(t, <-s.served)
		require.Equal(t, drain+cleanup-1, time.Since(start))
	})
}

func TestAHandlerThatIgnoresThatItWasCutIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		s := start(t, func(grpc.ServerStream) error { <-release; return nil })
		s.open(t)
		start := time.Now()
		s.signal()
		require.EqualError(t, <-s.served, "a handler still runs 1s after its context ended")
		require.Equal(t, drain+cleanup, time.Since(start))
	})
}

func TestAListenerThatFailsIsAnErrorAndADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{})
		s := start(t, func(grpc.ServerStream) error { <-told; return nil })
		s.OnDrain = func() { close(told) }
		stream := s.open(t)
		require.NoError(t, s.listener.Close())
		require.EqualError(t, <-s.served, "serve ended early\nclosed")
		require.Equal(t, io.EOF, end(stream))
	})
}
