package fastlog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// follow runs a client to its end, and requires what it prints on stdout and,
// behind how long it took, on stderr.
func follow(t *testing.T, client *testproc.Process, status int, stdout, says string) {
	t.Helper()
	gotStatus, gotStdout, stderr := client.Wait()
	require.Equal(t, status, gotStatus, stderr)
	require.Equal(t, stdout, gotStdout)
	require.Regexp(t, `^client: \d+ entries in [\d.]+m?s\n`+says+"$", stderr)
}

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	t.Run("client follows the in-process server", func(t *testing.T) {
		for _, args := range [][]string{{"-n=100000"}, {"-n=100000", "-plain"}} {
			p := testproc.Start(t, client, append(args, "-quiet")...)
			_, stdout, stderr := p.Wait()
			require.Empty(t, stdout)
			require.Contains(t, stderr, "client: 100000 entries in ")
		}
		follow(t, testproc.Start(t, client, "-n=1", "-grep=cart/50000 "), 0, "INFO  checkout GET /cart/50000 200 12ms\n", "")
	})
	t.Run("server serves both clients, and drains", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		p.Type("one\n\x1b[2J two\n")
		for _, plain := range []string{"-plain", "-plain=false"} {
			follow(t, testproc.Start(t, client, "-addr", addr, "-n=2", plain), 0, "one\n\\x1b[2J two\n", "")
		}
		waits := testproc.Start(t, client, "-addr", addr)
		require.Equal(t, "one", waits.Line(waits.Stdout))
		require.Equal(t, `\x1b[2J two`, waits.Line(waits.Stdout))
		p.Signal(os.Interrupt)
		p.RequireExit(0, "", "")
		follow(t, waits, 1, "", "client: logs: Unavailable: shutting down; resume after 2\n")
	})
	t.Run("Ctrl-C ends the client", func(t *testing.T) {
		p := testproc.Start(t, client, "-grep=cart/100000 ")
		require.Equal(t, "INFO  checkout GET /cart/100000 200 12ms", p.Line(p.Stdout))
		p.Signal(os.Interrupt)
		follow(t, p, 130, "", "client: interrupted\n")
	})
	t.Run("client fails if it cannot write", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip(err)
		}
		p := testproc.Start(t, "sh", "-c", `exec "$0" -n=1 > /dev/full`, client)
		follow(t, p, 1, "", "client: write /dev/stdout: no space left on device\n")
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client, "-n=-1").RequireExit(2, "", "client: -n: must be at least 0, got -1 (see -help)\n")
		testproc.Start(t, server, "-retention=0").
			RequireExit(2, "", "server: -retention: must be at least 1, got 0 (see -help)\n")
	})
}
