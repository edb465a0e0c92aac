package pitfalls_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands_ListFindAndServe(t *testing.T) {
	dir := testproc.Build(t, "./cmd/client", "./cmd/server")
	client := func(t *testing.T, args ...string) (status int, stdout, stderr string) {
		t.Helper()
		return testproc.Start(t, filepath.Join(dir, "client"), args...).Wait()
	}

	t.Run("client lists all pitfalls", func(t *testing.T) {
		status, stdout, stderr := client(t)
		require.Zero(t, status, stderr)
		require.Contains(t, stdout, "missing-closesend       all answers")
		require.Contains(t, stdout, "too-many-pings ")
	})
	t.Run("client shows the only match", func(t *testing.T) {
		status, stdout, stderr := client(t, "upload:", "send", "7:", "EOF")
		require.Zero(t, status, stderr)
		for _, line := range []string{
			"send-eof\n\nYou see: the client reports", "\n    send 812: EOF\n", "\nFix:     when",
			"\nPage:    06-pitfalls/send-eof/README.md\n",
			"\nbroken ", "ms  InvalidArgument: value: must be at least 0, got -2\n",
		} {
			require.Contains(t, stdout, line)
		}
	})
	t.Run("client lists several matches", func(t *testing.T) {
		status, stdout, stderr := client(t, "CloseSend")
		require.Zero(t, status, stderr)
		require.Contains(t, stdout, "missing-closesend")
		require.Contains(t, stdout, "concurrent-closesend")
		require.NotContains(t, stdout, "Fix:")
	})
	for says, args := range map[string][]string{
		`client: no pitfall has "no such words" in its name, symptom or error text; without words, client lists all (see -help)`: {"no such", "words"},
		`client: -limit: must be at least 2s, got 0s (see -help)`:                                                                {"-limit", "0s", "send-eof"},
	} {
		t.Run("client refuses "+args[0], func(t *testing.T) {
			status, _, stderr := client(t, args...)
			require.Equal(t, 2, status)
			require.Equal(t, says+"\n", stderr)
		})
	}
	t.Run("server serves the demos", func(t *testing.T) {
		server := testproc.Start(t, filepath.Join(dir, "server"), "-addr", "localhost:0")
		addr, ok := strings.CutPrefix(server.Line(server.Stderr), "server: listening on ")
		require.True(t, ok)
		status, stdout, stderr := client(t, "-addr", addr, "-wire", "send-eof")
		require.Zero(t, status, stderr)
		require.Contains(t, stdout, "InvalidArgument: value: must be at least 0, got -2\n")
		require.Contains(t, stderr, ":path=/pitfalls.v1.PitfallService/Sum")

		status, _, stderr = client(t, "-addr", "localhost:1", "send-eof")
		require.Equal(t, 1, status)
		require.Contains(t, stderr, "client: Unavailable: ", "no server listens there")
	})
}
