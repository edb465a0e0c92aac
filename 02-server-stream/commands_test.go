package serverstream_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestClient_InProcess(t *testing.T) {
	client := filepath.Join(testproc.Build(t, "./cmd/client"), "client")

	t.Run("stops after -n entries", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "-n", "2").Wait()
		require.Zero(t, status, stderr)
		require.Equal(t, 2, strings.Count(stdout, "\n"), stdout)
		require.Empty(t, stderr)
	})
	t.Run("prints what -grep matches", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "-grep", "INFO", "-n", "1").Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `^INFO .*\n$`, stdout)
	})
	t.Run("writes a report to stdout", func(t *testing.T) {
		want, err := os.ReadFile("samples/daily.csv")
		require.NoError(t, err)
		status, stdout, stderr := testproc.Start(t, client, "report", "daily.csv").Wait()
		require.Zero(t, status, stderr)
		require.Equal(t, string(want), stdout)
		require.Equal(t, "report daily.csv: 33009 bytes, SHA-256 verified\n", stderr)
	})
	t.Run("fails with one line", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "report", "sales").Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Equal(t, "client: report sales: NotFound: open sales: file does not exist\n", stderr)
	})
	requireUsage(t, client, map[string]string{
		"-n -1":           "client: -n: must be at least 0, got -1 (see -help)\n",
		"follow":          `client: arguments: must be logs or report ID, got ["follow"] (see -help)` + "\n",
		"logs -n 1":       `client: arguments: must be logs or report ID, got ["logs" "-n" "1"] (see -help)` + "\n",
		"report":          `client: arguments: must be logs or report ID, got ["report"] (see -help)` + "\n",
		"-addr localhost": "client: -addr: address localhost: missing port in address (see -help)\n",
	})
}

func TestServer_OverTCP(t *testing.T) {
	dir := testproc.Build(t, "./cmd/server", "./cmd/client")
	server, client := filepath.Join(dir, "server"), filepath.Join(dir, "client")

	// start starts a server, with input as its standard input so far.
	start := func(t *testing.T, input string, args ...string) (p *testproc.Process, addr string) {
		p = testproc.Start(t, server, append([]string{"-addr", "localhost:0"}, args...)...)
		_, err := p.Stdin.Write([]byte(input))
		require.NoError(t, err)
		addr, ok := strings.CutPrefix(p.Line(p.Stderr), "server: listening on ")
		require.True(t, ok, addr)
		return p, addr
	}

	t.Run("standard input is the log", func(t *testing.T) {
		long := strings.Repeat("x", 20_000) // becomes two entries
		input := "one\ntwo\nthree\n" + long + "\n"
		_, addr := start(t, input)
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n", "5").Wait()
		require.Zero(t, status, stderr)
		require.Equal(t, input, stdout)
		for args, want := range map[string]string{
			"-n 2 -after 1 logs": "two\nthree\n",
			"-n 1 -grep thr":     "three\n",
			"-n 2 -after 3":      long + "\n",
		} {
			status, stdout, stderr := testproc.Start(t, client, append([]string{"-addr", addr}, strings.Fields(args)...)...).Wait()
			require.Zero(t, status, stderr)
			require.Equal(t, want, stdout, args)
		}
	})
	t.Run("-retention limits the log", func(t *testing.T) {
		p, addr := start(t, "", "-retention", "1")
		for i, line := range []string{"one\n", "two\n", "three\n"} {
			_, err := p.Stdin.Write([]byte(line))
			require.NoError(t, err)
			status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-after", strconv.Itoa(i), "-n", "1").Wait()
			require.Zero(t, status, stderr)
			require.Equal(t, line, stdout)
		}
		require.NoError(t, p.Stdin.Close()) // the server keeps serving
		status, _, stderr := testproc.Start(t, client, "-addr", addr, "-after", "1").Wait()
		require.Equal(t, 1, status)
		require.Equal(t, "client: logs: OutOfRange: after: 1 is no longer held; the oldest is 3\n", stderr)
	})
	t.Run("-reports names a folder", func(t *testing.T) {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, "sales"), []byte("7,7,7\n"), 0o600))
		_, addr := start(t, "", "-reports", folder)
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "report", "sales").Wait()
		require.Zero(t, status, stderr)
		require.Equal(t, "7,7,7\n", stdout)
		require.Equal(t, "report sales: 6 bytes, SHA-256 verified\n", stderr)
	})
	t.Run("SIGTERM drains", func(t *testing.T) {
		p, addr := start(t, "one\ntwo\n")
		follower := testproc.Start(t, client, "-addr", addr)
		require.Equal(t, "one", follower.Line(follower.Stdout))
		require.Equal(t, "two", follower.Line(follower.Stdout))
		p.Signal(syscall.SIGTERM)
		status, _, stderr := p.Wait()
		require.Zero(t, status, stderr)
		require.Empty(t, stderr)
		status, stdout, stderr := follower.Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Equal(t, "client: logs: Unavailable: shutting down; resume after 2\n", stderr)
	})
	requireUsage(t, server, map[string]string{
		"-retention 0": "server: -retention: must be at least 1, got 0 (see -help)\n",
		"-drain -1s":   "server: -drain: must be at least 0, got -1s (see -help)\n",
		"sales":        `server: unexpected argument "sales" (see -help)` + "\n",
	})
}

// requireUsage requires that an executable refuses each line of arguments
// with one line on stderr.
func requireUsage(t *testing.T, executable string, want map[string]string) {
	t.Helper()
	for args, line := range want {
		t.Run("usage: "+args, func(t *testing.T) {
			status, stdout, stderr := testproc.Start(t, executable, strings.Fields(args)...).Wait()
			require.Equal(t, 2, status)
			require.Empty(t, stdout)
			require.Equal(t, line, stderr)
		})
	}
}
