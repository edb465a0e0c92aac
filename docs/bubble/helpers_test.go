package bubble

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// dial returns a client of a new in-process server, which ends with the
// test.
func dial(t *testing.T, s pitfallsv1.PitfallServiceServer) pitfallsv1.PitfallServiceClient {
	return pitfallsv1.NewPitfallServiceClient(memservertest.Dial(t, register(s)))
}

// register adds s to a server.
func register(s pitfallsv1.PitfallServiceServer) func(grpc.ServiceRegistrar) {
	return func(r grpc.ServiceRegistrar) { pitfallsv1.RegisterPitfallServiceServer(r, s) }
}

// onlyRed skips a test that fails on purpose.
func onlyRed(t *testing.T) {
	t.Helper()
	if os.Getenv("RED") == "" {
		t.Skip("fails on purpose, as docs/testing-in-a-bubble.md shows: set RED=1 to run it")
	}
}

// red runs a test of this package that fails on purpose, and returns what it
// prints.
func red(t *testing.T, test, timeout string, env ...string) string {
	t.Helper()
	out, err := run(t, test, timeout, env...)
	require.Error(t, err, "%s must fail, and printed:\n%s", test, out)
	return out
}

// run runs a test of this package in a process of its own that ends after the
// timeout. It returns what the test prints, and an error if the test fails.
func run(t *testing.T, test, timeout string, env ...string) (string, error) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(executable, "-test.run=^"+test+"$", "-test.count=1", "-test.timeout="+timeout)
	cmd.Env = append(os.Environ(), "RED=1", "GOTRACEBACK=single", "GORACE=atexit_sleep_ms=0")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
