package serve

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/health" // the client's half of health checks
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"example.com/streams/internal/wire"
)

// Once GracefulStop is called, no call is taken: that OnDrain can make one
// shows that it comes first.
func TestHealthSaysNotServingWhenOnDrainIsCalledBeforeGracefulStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, untilCut)
		require.Equal(t, "SERVING", healthOf(t, s.conn))
		draining := ""
		s.OnDrain = func() { draining = healthOf(t, s.conn) }
		s.signal()
		require.NoError(t, <-s.served)
		require.Equal(t, "NOT_SERVING", draining)
	})
}

// A client of grpc-go that checks the health of its servers has a Watch
// open on each. It ends it when the server starts to drain.
func TestClientsThatCheckHealthDoNotHoldUpTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, untilCut)
		var frames strings.Builder
		tap := wire.New(&frames)
		conn := s.dial(t, grpc.WithContextDialer(tap.Dialer(s.connect)), grpc.WithDefaultServiceConfig(
			`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}`))
		require.Equal(t, "SERVING", healthOf(t, conn))
		synctest.Wait()
		require.Contains(t, frames.String(), ":path=/grpc.health.v1.Health/Watch")
		require.NotContains(t, frames.String(), "RST_STREAM")

		start := time.Now()
		s.signal()
		require.NoError(t, <-s.served)
		require.Zero(t, time.Since(start))
		synctest.Wait()
		require.Regexp(t, `C->S RST_STREAM +stream=1 .* code=CANCEL`, frames.String())
	})
}

func TestAWatchOfHealthSeesTheDrainAndHoldsItUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, untilCut)
		watch, err := healthv1.NewHealthClient(s.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		reply, err := watch.Recv()
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_SERVING, reply.GetStatus())

		start := time.Now()
		s.signal()
		reply, err = watch.Recv()
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, reply.GetStatus())
		require.Zero(t, time.Since(start))
		require.NoError(t, <-s.served)
		require.Equal(t, drain, time.Since(start))
	})
}

// services asks as grpcurl does.
func services(t *testing.T, conn *grpc.ClientConn) (names []string) {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}))
	reply, err := stream.Recv()
	require.NoError(t, err)
	for _, service := range reply.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	require.NoError(t, stream.CloseSend())
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
	return names
}
