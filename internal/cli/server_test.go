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
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"example.com/streams/internal/serve"
	"example.com/streams/internal/testproc"
)

func runServer(t *testing.T, args ...string) *testproc.Process {
	return testproc.Self(t, func() int {
		listener := ServerFlags()
		return Main("server", func(ctx context.Context) error { return listener.Serve(ctx, serve.New()) })
	}, args)
}

func TestListener_ServesUntilASignal(t *testing.T) {
	p := runServer(t, "-addr", "localhost:0")
	addr, found := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
	require.True(t, found)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), "%s", addr)
	require.NotEqual(t, "0", port)

	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	reply, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, reply.GetStatus())

	p.Signal(syscall.SIGTERM)
	exit, stdout, stderr := p.Wait()
	require.Equal(t, 0, exit, stderr)
	require.Empty(t, stdout+stderr)
}

func TestListener_DefaultsToLoopbackAndFiveSeconds(t *testing.T) {
	exit, _, stderr := runServer(t, "-help").Wait()
	require.Equal(t, 0, exit)
	require.Contains(t, stderr, `listen on host:port (default "localhost:50051")`)
	require.Contains(t, stderr, `when the server stops (default 5s)`)
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
