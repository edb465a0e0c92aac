package memservertest

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"example.com/streams/internal/testproc"
)

func register(s grpc.ServiceRegistrar) { healthv1.RegisterHealthServer(s, health.NewServer()) }

func check(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	reply, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, reply.GetStatus())
}

func TestDial_ConnectsToARealServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { check(t, Dial(t, register)) })
}

func TestServer_AcceptsManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := Serve(t, register)
		first, second := server.Dial(t), server.Dial(t)
		check(t, first)
		check(t, second)
		check(t, first)
	})
}

func TestDial_NeedsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { Dial(t, register) })
}

// openStream opens a stream whose handler calls then when its call ends.
func openStream(t *testing.T, then func()) {
	server := Serve(t, register, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		<-stream.Context().Done()
		then()
		return nil
	}))
	_, err := server.Dial(t).NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Method")
	require.NoError(t, err)
	synctest.Wait()
}

func TestServe_WaitsForHandlersWhenTheTestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		t.Cleanup(func() { require.Equal(t, time.Hour, time.Since(start)) })
		openStream(t, func() { time.Sleep(time.Hour) })
	})
}

func TestServe_HandlerThatNeverReturnsFailsTheTest(t *testing.T) {
	p := testproc.Self(t, func() int {
		synctest.Test(t, func(t *testing.T) {
			openStream(t, func() { <-make(chan int) })
		})
		return 0
	}, nil)
	status, stdout, stderr := p.Wait()
	require.NotZero(t, status)
	require.Contains(t, stdout+stderr, "panic: deadlock: all goroutines in bubble are blocked")
	require.Contains(t, stderr, "HandlerThatNeverReturns", "the stack of the handler")
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (r *recorder) end() []string {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		r.cleanups[last]()
		r.cleanups = r.cleanups[:last]
	}
	return r.errors
}

type failingCloser struct{}

func (failingCloser) Close() error { return errors.New("broken") }

func TestServer_CloseThatFailsFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		server.Dial(r)
		closed := server.Dial(r)
		require.NoError(t, closed.Close())
		closeAfter(r, failingCloser{}, "the server")
		require.Equal(t, []string{
			"the server ended with an error: broken",
			"the connection ended with an error: rpc error: code = Canceled desc = grpc: the client connection is closing",
		}, r.end())
	})
}

func TestDial_WrongOptionsStopTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		require.Panics(t, func() { server.Dial(r, grpc.WithDefaultServiceConfig("{")) })
		require.Empty(t, r.end())
	})
}

func TestServe_CallThatNeverEndsFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		start := time.Now()
		stream, err := healthv1.NewHealthClient(server.Dial(r)).Watch(t.Context(), &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, Limit, time.Since(start))
		require.Len(t, r.errors, 1)
		require.Contains(t, r.errors[0], "longer than the limit of its server")
		require.Contains(t, r.errors[0], "health.(*Server).Watch", "the handler's stack")
		require.Contains(t, r.errors[0], "TestServe_CallThatNeverEndsFailsTheTest", "the client's stack")
	})
}

func TestServe_LimitEndsAClientThatConnectsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		client := healthv1.NewHealthClient(server.Dial(r))
		server.Stop()
		start := time.Now()
		_, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		require.EqualError(t, err, "rpc error: code = Canceled desc = grpc: the client connection is closing")
		require.Equal(t, Limit, time.Since(start))
	})
}

func TestServeHTTP_ServesGRPC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := grpc.NewServer()
		register(s)
		check(t, ServeHTTP(t, &http.Server{Handler: s}).Dial(t))
	})
}

func TestServeHTTP_LimitEndsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		s := grpc.NewServer()
		register(s)
		client := healthv1.NewHealthClient(ServeHTTP(r, &http.Server{Handler: s}).Dial(r))
		start := time.Now()
		stream, err := client.Watch(t.Context(), &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, Limit, time.Since(start))
		require.Contains(t, r.end()[0], "longer than the limit of its server")
	})
}
