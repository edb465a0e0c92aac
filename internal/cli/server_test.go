package cli

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/testproc"
)

func runServer(t *testing.T, args ...string) *testproc.Process {
	return testproc.Self(t, func() int {
		listener := ServerFlags()
		return Main("server", func(ctx context.Context) error { return listener.Serve(ctx, serve.New()) })
	}, args)
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func requireReady(t *testing.T, addr string) {
	reply, err := healthv1.NewHealthClient(dial(t, addr)).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, "SERVING", reply.GetStatus().String())
}

func TestListener_ServesUntilASignal(t *testing.T) {
	p := runServer(t, "-addr", "localhost:0")
	addr, found := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
	require.True(t, found)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), "%s", addr)
	require.NotEqual(t, "0", port)

	requireReady(t, addr)
	p.Signal(syscall.SIGTERM)
	exit, stdout, stderr := p.Wait()
	require.Equal(t, 0, exit, stderr)
	require.Empty(t, stdout+stderr)
}

func TestListener_WarnsWhenNotLoopback(t *testing.T) {
	for addr, warns := range map[string]bool{
		"localhost:0": false,
		"127.0.0.2:0": false,
		"0.0.0.0:0":   true,
		":0":          true,
	} {
		t.Run(addr, func(t *testing.T) {
			p := runServer(t, "-addr", addr)
			actual, found := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
			require.True(t, found)
			want := ""
			if warns {
				want = "server: warning: " + actual + " is not loopback: " +
					"the traffic is plaintext, and anybody who reaches the port may call\n"
			}
			requireReady(t, actual)
			p.Signal(syscall.SIGTERM)
			p.RequireExit(0, "", want)
		})
	}
}

func TestListener_ReflectionIsAChoice(t *testing.T) {
	for arg, want := range map[string]codes.Code{
		"-reflection":       codes.OK, // the default
		"-reflection=false": codes.Unimplemented,
	} {
		t.Run(arg, func(t *testing.T) {
			p := runServer(t, "-addr=localhost:0", arg)
			addr, _ := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
			stream, err := reflectionv1.NewServerReflectionClient(dial(t, addr)).ServerReflectionInfo(t.Context())
			require.NoError(t, err)
			_ = stream.Send(&reflectionv1.ServerReflectionRequest{ // the status is that of Recv
				MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
			})
			_, err = stream.Recv()
			require.Equal(t, want.String(), status.Code(err).String(), "%v", err)
		})
	}
}

func TestListener_DefaultsToLoopbackAndFiveSeconds(t *testing.T) {
	exit, _, stderr := runServer(t, "-help").Wait()
	require.Equal(t, 0, exit)
	require.Contains(t, stderr, `listen on host:port (default "localhost:50051")`)
	require.Contains(t, stderr, `when the server stops (default 5s)`)
	require.Contains(t, stderr, `tell everybody who asks which services the server has, as grpcurl does (default true)`)
}

func TestListener_SetsTheDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := serve.New()
	require.NoError(t, (&Listener{Addr: "localhost:0", LameDuck: 1, Drain: time.Hour}).Serve(ctx, s))
	require.Equal(t, time.Hour, s.Drain)
	require.Equal(t, time.Duration(1), s.LameDuck)
}

func TestListener_LameDuckServesNewConnections(t *testing.T) {
	p := runServer(t, "-addr=localhost:0", "-lame-duck=1h")
	addr, _ := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
	watch, err := healthv1.NewHealthClient(dial(t, addr)).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)
	p.Signal(syscall.SIGTERM)
	changed, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, "NOT_SERVING", changed.GetStatus().String())

	reply, err := healthv1.NewHealthClient(dial(t, addr)).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, "NOT_SERVING", reply.GetStatus().String())
	p.Signal(syscall.SIGTERM) // ends the process at once
	exit, _, _ := p.Wait()
	require.Equal(t, -1, exit)
}

func TestListener_ArgumentIsAUsageError(t *testing.T) {
	exit, _, stderr := runServer(t, "7777").Wait()
	require.Equal(t, "server: unexpected argument \"7777\" (see -help)\n", stderr)
	require.Equal(t, 2, exit)
}

func TestListener_WrongAddressIsAClearError(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer taken.Close()
	err = (&Listener{Addr: "localhost:0", LameDuck: -time.Second}).Serve(t.Context(), serve.New())
	require.EqualError(t, err, "-lame-duck: must be at least 0, got -1s")
	for _, tt := range []struct {
		addr  string
		drain time.Duration
		says  string
		usage bool
	}{
		{"localhost:0", -time.Second, "-drain: must be at least 0, got -1s", true},
		{"", 0, "-addr: missing port in address", true},
		{"localhost", 0, "-addr: address localhost: missing port in address", true},
		{"::1:50051", 0, "-addr: address ::1:50051: too many colons in address", true},
		{"localhost:65536", 0, "listen tcp: address 65536: invalid port", false},
		{taken.Addr().String(), 0, "listen tcp " + taken.Addr().String() + ": bind: ", false},
	} {
		err := (&Listener{Addr: tt.addr, Drain: tt.drain}).Serve(t.Context(), serve.New())
		require.ErrorContains(t, err, tt.says)
		var usage *UsageError
		require.Equal(t, tt.usage, errors.As(err, &usage), "a usage error: %v", err)
	}
}
