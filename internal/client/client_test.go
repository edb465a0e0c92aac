package client

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/internal/command/commandtest"
)

// listen serves over TCP what the clients embed.
func listen(t *testing.T) (addr string) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	s := grpc.NewServer()
	embed(t.Context(), s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, <-served)
	})
	return listener.Addr().String()
}

func TestAnEmbeddedServerAndADialledOneGiveTheSame(t *testing.T) {
	for name, args := range map[string][]string{
		"embedded": nil,
		"dialled":  {"-addr", listen(t)},
	} {
		t.Run(name, func(t *testing.T) {
			exit, stdout, stderr := commandtest.Start(t, "check", args...).End()
			require.Equal(t, "SERVING\n", stdout)
			require.Equal(t, 0, exit)
			require.Empty(t, stderr)

			exit, stdout, stderr = commandtest.Start(t, "check", append(args, "-service=coffee")...).End()
			require.Equal(t, "client: check: NotFound: unknown service\n", stderr)
			require.Equal(t, 1, exit)
			require.Empty(t, stdout)

			_, _, stderr = commandtest.Start(t, "abort", args...).End()
			require.Equal(t, "client: check: Aborted: intercepted\n", stderr, "the options of Main")
		})
	}
}

func TestWireShowsTheFramesAndNothingElseChanges(t *testing.T) {
	for _, tt := range []struct {
		flag      string
		call, all bool // which frames are shown
	}{
		{"-wire", true, false},
		{"-wire=true", true, false},
		{"-wire=all", true, true},
		{"-wire=false", false, false},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			exit, stdout, stderr := commandtest.Start(t, "check", tt.flag).End()
			require.Equal(t, "SERVING\n", stdout)
			require.Equal(t, 0, exit)
			for frame, shown := range map[string]bool{
				"C->S HEADERS":        tt.call,
				"C->S DATA":           tt.call,
				"S->C DATA":           tt.call,
				"S->C SETTINGS":       tt.all,
				"END_STREAM":          tt.call,
				"Health/Check":        tt.call,
				"END_STREAM grpc-sta": tt.call,
			} {
				require.Equal(t, shown, strings.Contains(stderr, frame), "%q in:\n%s", frame, stderr)
			}
		})
	}
}

func TestWireShowsWhatIsDialledToo(t *testing.T) {
	_, stdout, stderr := commandtest.Start(t, "check", "-wire", "-addr", listen(t)).End()
	require.Equal(t, "SERVING\n", stdout)
	require.Contains(t, stderr, "S->C HEADERS    stream=1   len=24    END_STREAM grpc-status=0\n")
}

func TestAWrongFlagIsAUsageError(t *testing.T) {
	for _, tt := range []struct{ flag, says string }{
		{"-wire=nonsense", `invalid boolean value "nonsense" for -wire: want -wire or -wire=all`},
		{"-addr=localhost", "-addr: address localhost: missing port in address"},
		{"-addr=a:b:c", "-addr: address a:b:c: too many colons in address"},
	} {
		exit, stdout, stderr := commandtest.Start(t, "check", tt.flag).End()
		require.Equal(t, "client: "+tt.says+" (see -help)\n", stderr)
		require.Equal(t, 2, exit)
		require.Empty(t, stdout)
	}
}

// Nothing can listen on port 0.
func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	exit, stdout, stderr := commandtest.Start(t, "check", "-addr", "localhost:0").End()
	require.Regexp(t, "^client: check: Unavailable: .*connection refused.*\n$", stderr)
	require.Equal(t, 1, exit)
	require.Empty(t, stdout)
}

func TestCtrlCEndsAStream(t *testing.T) {
	for name, args := range map[string][]string{
		"embedded": nil,
		"dialled":  {"-addr", listen(t)},
	} {
		t.Run(name, func(t *testing.T) {
			p := commandtest.Start(t, "watch", args...)
			require.Equal(t, "SERVING", p.Line(p.Stdout))
			p.Signal(os.Interrupt)
			exit, stdout, stderr := p.End()
			require.Equal(t, "client: interrupted\n", stderr)
			require.Equal(t, 130, exit)
			require.Empty(t, stdout)
		})
	}
}
