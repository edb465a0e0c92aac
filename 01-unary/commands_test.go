package unary_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	_, addr := testproc.StartServer(t, server)

	t.Run("client prints the last lines", func(t *testing.T) {
		testproc.Start(t, client, "-addr", addr, "-n=1").
			RequireExit(0, "09:01:23 INFO  checkout POST /orders 201 69ms\n", "")
	})
	t.Run("client asks for more lines than there are", func(t *testing.T) {
		_, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=4294967295").Wait()
		require.Equal(t, 60, strings.Count(stdout, "\n"), stderr)
	})
	t.Run("client prints the status", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=0").Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		golden.File(t, "testdata/refused.txt", stderr)
	})
	t.Run("client quotes the message of the server", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server, "-file=\x1b[2J.log")
		_, _, stderr := testproc.Start(t, client, "-addr", addr).Wait()
		require.Contains(t, stderr, `\x1b[2J.log`)
		require.NotContains(t, stderr, "\x1b")
	})
	t.Run("server reads the file of -file", func(t *testing.T) {
		log := filepath.Join(t.TempDir(), "app.log")
		require.NoError(t, os.WriteFile(log, []byte("one\ntwo\n"), 0o600))
		_, addr := testproc.StartServer(t, server, "-file", log)
		testproc.Start(t, client, "-addr", addr, "-n=1").RequireExit(0, "two\n", "")
	})
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String()+" ends the server", func(t *testing.T) {
			p, addr := testproc.StartServer(t, server)
			p.Signal(signal)
			p.RequireExit(0, "", "")
			status, _, stderr := testproc.Start(t, client, "-addr", addr).Wait()
			require.Equal(t, 1, status)
			require.Regexp(t, `^client: snapshot: Unavailable: .*\n$`, stderr)
		})
	}
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client, "3").RequireExit(2, "", `client: unexpected argument "3"`+"\n")
		testproc.Start(t, server, "log").RequireExit(2, "", `server: unexpected argument "log"`+"\n")
	})
}
