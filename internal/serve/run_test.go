package serve

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/command"
	"example.com/streams/internal/command/commandtest"
)

func TestAServerSaysWhereItListensAnswersAndEndsAtASignal(t *testing.T) {
	p := commandtest.Start(t, "server", "-addr", "localhost:0")
	addr, found := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
	require.True(t, found)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), "%s", addr)
	require.NotEqual(t, "0", port)

	conn := dial(t, addr)
	require.Equal(t, "SERVING", healthOf(t, conn))
	require.Equal(t, []string{
		"grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
	}, services(t, conn))

	require.Equal(t, codes.Aborted, status.Code(end(open(t, conn))), "the options of Main")

	p.Signal(syscall.SIGTERM)
	exit, stdout, stderr := p.End()
	require.Equal(t, 0, exit, stderr)
	require.Empty(t, stdout+stderr)
}

func TestTheDefaultIsLoopbackAndFiveSeconds(t *testing.T) {
	exit, _, stderr := commandtest.Start(t, "server", "-help").End()
	require.Equal(t, 0, exit)
	require.Contains(t, stderr, `listen on host:port (default "localhost:50051")`)
	require.Contains(t, stderr, `when the server stops (default 5s)`)
}

func TestAnUnexpectedArgumentIsAUsageError(t *testing.T) {
	exit, _, stderr := commandtest.Start(t, "server", "7777").End()
	require.Equal(t, "server: unexpected argument \"7777\" (see -help)\n", stderr)
	require.Equal(t, 2, exit)
}

func TestWhatCannotBeServedIsAClearError(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, tt := range []struct {
		addr  string
		drain time.Duration
		says  string
		usage bool
	}{
		{"localhost:0", -time.Second, "-drain -1s is negative", true},
		{"", 0, "-addr: missing port in address", true},
		{"localhost", 0, "-addr: address localhost: missing port in address", true},
		{"::1:50051", 0, "-addr: address ::1:50051: too many colons in address", true},
		{"localhost:65536", 0, "listen tcp: address 65536: invalid port", false},
		{taken.Addr().String(), 0, "listen tcp " + taken.Addr().String() + ": bind: address already in use", false},
	} {
		s := New()
		s.Addr, s.Drain = tt.addr, tt.drain
		err := s.Run(t.Context())
		require.EqualError(t, err, tt.says)
		var usage *command.UsageError
		require.Equal(t, tt.usage, errors.As(err, &usage), "a usage error: %v", err)
	}
}
