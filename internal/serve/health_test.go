package serve_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/health" // the client's half of health checks
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/wire"
)

// After GracefulStop has been called, the server refuses new calls. That
// OnDrain can make one shows that OnDrain comes first.
func TestHealth_NotServingBeforeCallsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		require.Equal(t, "SERVING", healthOf(t, conn))
		draining := ""
		s.OnDrain = func() { draining = healthOf(t, conn) }
		s.Signal()
		require.NoError(t, s.Wait())
		require.Equal(t, "NOT_SERVING", draining)
	})
}

func TestSetServing_HasNoEffectAfterTheDrainBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		s.SetServing(false)
		require.Equal(t, "NOT_SERVING", healthOf(t, conn))
		s.SetServing(true)
		require.Equal(t, "SERVING", healthOf(t, conn))
		draining := ""
		for range 2 {
			go s.SetServing(true)
		}
		s.OnDrain = func() { s.SetServing(true); draining = healthOf(t, conn) }
		s.Signal()
		require.NoError(t, s.Wait())
		require.Equal(t, "NOT_SERVING", draining)
	})
}

// A grpc-go client that checks the health of its servers has a Watch open on
// each of them. It ends the Watch when the server begins to drain.
func TestHealth_CheckingClientsDoNotDelayTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := start(t, untilCanceled)
		var frames strings.Builder
		tap := wire.New(&frames)
		conn := s.Dial(t, grpc.WithContextDialer(tap.Dialer(s.DialContext)), grpc.WithDefaultServiceConfig(
			`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}`))
		require.Equal(t, "SERVING", healthOf(t, conn))
		synctest.Wait()
		require.Contains(t, frames.String(), ":path=/grpc.health.v1.Health/Watch")
		require.NotContains(t, frames.String(), "RST_STREAM")

		start := time.Now()
		s.Signal()
		require.NoError(t, s.Wait())
		require.Zero(t, time.Since(start))
		synctest.Wait()
		require.Regexp(t, `C->S RST_STREAM +stream=1 .* code=CANCEL`, frames.String())
	})
}

func TestHealth_WatchOpenedByHandDelaysTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := start(t, untilCanceled)
		watch, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		reply, err := watch.Recv()
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_SERVING, reply.GetStatus())

		start := time.Now()
		s.Signal()
		reply, err = watch.Recv()
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, reply.GetStatus())
		require.Zero(t, time.Since(start))
		require.NoError(t, s.Wait())
		require.Equal(t, drain, time.Since(start))
	})
}

func TestNew_OffersHealthAndNotReflection(t *testing.T) {
	services := serve.New().GetServiceInfo()
	require.Equal(t, []string{"grpc.health.v1.Health"}, slices.Collect(maps.Keys(services)))
}
