package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/testproc"
)

func register(_ context.Context, s grpc.ServiceRegistrar) error {
	healthv1.RegisterHealthServer(s, health.NewServer())
	return nil
}

// listen serves over TCP what the clients of this test serve in memory.
func listen(t *testing.T) (addr string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	require.NoError(t, register(t.Context(), s))
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// watch runs a client that prints the health of a service until the stream
// ends.
func watch(t *testing.T, args ...string) *testproc.Process {
	return testproc.Self(t, func() int {
		target := ClientFlags()
		return Main("client", func(ctx context.Context) error {
			conn, stop, err := target.Connect(register)
			if err != nil {
				return err
			}
			defer stop()
			stream, err := healthv1.NewHealthClient(conn).Watch(ctx, &healthv1.HealthCheckRequest{})
			if err != nil {
				return err
			}
			for {
				reply, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return fmt.Errorf("watch: %w", err)
				}
				fmt.Println(reply.GetStatus())
			}
		})
	}, args)
}

func TestConnect_ServesAndShowsTheFramesAskedFor(t *testing.T) {
	addr := listen(t)
	for args, want := range map[string]struct{ streams, connection bool }{
		"-wire=false":      {false, false},
		"-wire -wire=0":    {false, false},
		"-wire":            {true, false},
		"-wire=true":       {true, false},
		"-wire=all":        {true, true},
		"-addr ADDR":       {false, false},
		"-wire -addr ADDR": {true, false},
	} {
		t.Run(args, func(t *testing.T) {
			p := watch(t, strings.Fields(strings.ReplaceAll(args, "ADDR", addr))...)
			require.Equal(t, "SERVING", p.Line(p.Stdout))
			p.Signal(os.Interrupt)
			exit, stdout, stderr := p.Wait()
			require.Equal(t, 130, exit)
			require.Empty(t, stdout)
			require.Equal(t, want.streams, strings.Contains(stderr, "S->C DATA"), stderr)
			require.Equal(t, want.connection, strings.Contains(stderr, "S->C SETTINGS"), stderr)
			require.True(t, strings.HasSuffix(stderr, "client: interrupted\n"), stderr)
		})
	}
}

func TestConnect_WrongFlagIsAUsageError(t *testing.T) {
	for flag, says := range map[string]string{
		"-wire=nonsense":  `invalid boolean value "nonsense" for -wire: want -wire or -wire=all`,
		"-addr=localhost": "-addr: address localhost: missing port in address",
		"-addr=a:b:c":     "-addr: address a:b:c: too many colons in address",
	} {
		t.Run(flag, func(t *testing.T) {
			exit, stdout, stderr := watch(t, flag).Wait()
			require.Equal(t, "client: "+says+" (see -help)\n", stderr)
			require.Equal(t, 2, exit)
			require.Empty(t, stdout)
		})
	}
}

// Nothing can listen on port 0.
func TestConnect_NoServerIsUnavailable(t *testing.T) {
	exit, stdout, stderr := watch(t, "-addr", "localhost:0").Wait()
	require.Regexp(t, "^client: (watch: )?Unavailable: .*\n$", stderr)
	require.Equal(t, 1, exit)
	require.Empty(t, stdout)
}

func TestConnect_ErrorOfRegisterIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		var registered context.Context
		_, _, err := new(Target).Connect(func(ctx context.Context, _ grpc.ServiceRegistrar) error {
			registered = ctx
			return failed
		})
		require.Equal(t, failed, err)
		require.Error(t, registered.Err())
	})
}

func TestConnect_UsesTheOptions(t *testing.T) {
	want := status.Error(codes.Aborted, "intercepted")
	option := grpc.WithUnaryInterceptor(func(
		context.Context, string, any, any, *grpc.ClientConn, grpc.UnaryInvoker, ...grpc.CallOption,
	) error {
		return want
	})
	for _, addr := range []string{"", "localhost:0"} {
		conn, stop, err := (&Target{Addr: addr}).Connect(register, option)
		require.NoError(t, err)
		_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Equal(t, want, err)
		stop()
		require.Equal(t, connectivity.Shutdown, conn.GetState())
	}
}

// A source is a service whose streams end an hour after ctx is done.
type source struct {
	healthv1.UnimplementedHealthServer
	ctx   context.Context
	ended time.Time
}

func (s *source) register(ctx context.Context, r grpc.ServiceRegistrar) error {
	s.ctx = ctx
	healthv1.RegisterHealthServer(r, s)
	return nil
}

func (s *source) Watch(_ *healthv1.HealthCheckRequest, stream grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	if err := stream.Send(&healthv1.HealthCheckResponse{}); err != nil {
		return err
	}
	<-s.ctx.Done()
	time.Sleep(time.Hour)
	s.ended = time.Now()
	return nil
}

func TestConnect_StopWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s source
		conn, stop, err := new(Target).Connect(s.register)
		require.NoError(t, err)
		stream, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)

		start := time.Now()
		stop()
		require.Error(t, s.ctx.Err())
		require.Equal(t, start.Add(time.Hour), s.ended)
		require.Equal(t, codes.Canceled, status.Code(stream.RecvMsg(nil)))
	})
}
