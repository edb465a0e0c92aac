package bufnet

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

func register(s grpc.ServiceRegistrar) { healthv1.RegisterHealthServer(s, health.NewServer()) }

func check(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	reply, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, reply.GetStatus())
}

func TestDialConnectsToARealServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check(t, Dial(t, register))
	})
}

func TestAServerTakesManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := Serve(t, register)
		first, second := server.Dial(t), server.Dial(t)
		check(t, first)
		check(t, second)
		check(t, first)
	})
}

func TestATestMayEndBeforeItCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { Dial(t, register) })
}
