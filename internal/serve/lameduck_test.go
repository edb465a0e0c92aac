package serve_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const lameDuck = 10 * time.Second

func TestLameDuck_ServesNewConnectionsUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		s.LameDuck = lameDuck
		var drained time.Time
		s.OnDrain = func() { drained = time.Now() }
		require.Equal(t, "SERVING", healthOf(t, conn))

		start := time.Now()
		s.Signal()
		time.Sleep(lameDuck - 1)
		s.SetServing(true)
		late := s.Dial(t)
		require.Equal(t, "NOT_SERVING", healthOf(t, late))
		stream := open(t, late)
		time.Sleep(2 * time.Nanosecond)
		_, err := healthv1.NewHealthClient(s.Dial(t)).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String())
		require.ErrorContains(t, err, "Error while dialing: closed", "the listener is closed")

		_, err = healthv1.NewHealthClient(late).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "a new call on an old connection")

		require.NoError(t, s.Wait())
		require.Equal(t, start.Add(lameDuck), drained)
		require.Equal(t, lameDuck+drain, time.Since(start))
		require.Error(t, end(stream))
	})
}

func TestLameDuck_ListenerThatFailsEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, untilCanceled)
		s.LameDuck = lameDuck
		s.Signal()
		time.Sleep(time.Second)
		start := time.Now()
		require.NoError(t, s.Listener.Close())
		require.EqualError(t, s.Wait(), "serve ended early\nclosed")
		require.Zero(t, time.Since(start))
	})
}
