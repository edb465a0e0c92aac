package memserver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func registerNothing(grpc.ServiceRegistrar) {}

func registerHealth(s grpc.ServiceRegistrar) { healthv1.RegisterHealthServer(s, health.NewServer()) }

func check(t *testing.T, conn *grpc.ClientConn) error {
	_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	return err
}

func TestClose_MayComeBeforeTheServerServes(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			require.NoError(t, Serve(registerNothing).Close())
		})
	}
}

func TestClose_ReturnsWhatEndedTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Serve(registerNothing)
		synctest.Wait()
		require.NoError(t, s.listener.Close())
		synctest.Wait()
		require.EqualError(t, s.Close(), "closed")
	})
}

func TestClose_WaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(_ any, stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(time.Hour)
			return nil
		}
		s := Serve(registerNothing, grpc.UnknownServiceHandler(slow))
		conn, err := s.NewClient()
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Method")
		require.NoError(t, err)
		synctest.Wait() // the handler runs

		start := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestClose_MakesTheServerUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Serve(registerHealth)
		conn, err := s.NewClient()
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, check(t, conn))
		require.NoError(t, s.Close())
		require.Equal(t, codes.Unavailable, status.Code(check(t, conn)))
	})
}

func TestDial_StopClosesClientAndServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, stop, err := Dial(registerHealth)
		require.NoError(t, err)
		require.NoError(t, check(t, conn))
		stop()
		require.Equal(t, codes.Canceled, status.Code(check(t, conn)))
	})
}

func TestDial_StopsTheServerIfTheOptionsAreWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := Dial(registerHealth, grpc.WithDefaultServiceConfig("{"))
		require.ErrorContains(t, err, "the provided default service config is invalid")
	})
}
