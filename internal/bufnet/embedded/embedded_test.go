package embedded

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

func nothing(grpc.ServiceRegistrar) {}

func TestAServerMayCloseBeforeItServes(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			require.NoError(t, Serve(nothing).Close())
		})
	}
}

func TestCloseReturnsWhatEndedTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Serve(nothing)
		synctest.Wait()
		require.NoError(t, s.listener.Close())
		synctest.Wait()
		require.EqualError(t, s.Close(), "closed")
	})
}

func TestCloseWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(_ any, stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(time.Hour)
			return nil
		}
		s := Serve(nothing, grpc.UnknownServiceHandler(slow))
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

func TestAClosedServerIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Serve(func(r grpc.ServiceRegistrar) { healthv1.RegisterHealthServer(r, health.NewServer()) })
		conn, err := s.NewClient()
		require.NoError(t, err)
		defer conn.Close()
		check := func() error {
			_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
			return err
		}
		require.NoError(t, check())
		require.NoError(t, s.Close())
		require.Equal(t, codes.Unavailable, status.Code(check()))
	})
}
