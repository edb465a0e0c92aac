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

func TestCommands_TalkOverTCP(t *testing.T) {
	dir := testproc.Build(t, "./cmd/server", "./cmd/client")
	run := func(t *testing.T, command string, args ...string) (exit int, stdout, stderr string) {
		return testproc.Start(t, filepath.Join(dir, command), args...).Wait()
	}
	serve := func(t *testing.T, args ...string) (server *testproc.Process, addr string) {
		args = append([]string{"-addr", "localhost:0"}, args...)
		server = testproc.Start(t, filepath.Join(dir, "server"), args...)
		line := server.Line(server.Stderr)
		require.Contains(t, line, "server: listening on 127.0.0.1:")
		return server, strings.TrimPrefix(line, "server: listening on ")
	}
	_, addr := serve(t)

	t.Run("the client prints the last lines", func(t *testing.T) {
		exit, stdout, stderr := run(t, "client", "-addr", addr, "-n", "1")
		require.Zero(t, exit, stderr)
		require.Equal(t, "09:01:23 INFO  checkout POST /orders 201 69ms\n", stdout)
	})
	t.Run("the client asks for more lines than there are", func(t *testing.T) {
		exit, stdout, stderr := run(t, "client", "-addr", addr, "-n", "4294967295")
		require.Zero(t, exit, stderr)
		require.Equal(t, 60, strings.Count(stdout, "\n"))
	})
	t.Run("the client prints the status of the call", func(t *testing.T) {
		exit, stdout, stderr := run(t, "client", "-addr", addr, "-n", "0")
		require.Equal(t, 1, exit)
		require.Empty(t, stdout)
		golden.File(t, "testdata/refused.txt", stderr)
	})
	t.Run("the client quotes the message of the server", func(t *testing.T) {
		_, addr := serve(t, "-file", "\x1b[2J.log")
		exit, _, stderr := run(t, "client", "-addr", addr)
		require.Equal(t, 1, exit)
		require.Contains(t, stderr, `\x1b[2J.log`)
		require.NotContains(t, stderr, "\x1b")
	})
	t.Run("the server reads a file", func(t *testing.T) {
		log := filepath.Join(t.TempDir(), "app.log")
		require.NoError(t, os.WriteFile(log, []byte("one\ntwo\n"), 0o644))
		_, addr := serve(t, "-file", log)
		_, stdout, _ := run(t, "client", "-addr", addr, "-n", "1")
		require.Equal(t, "two\n", stdout)
	})
	t.Run("the address is in use", func(t *testing.T) {
		exit, _, stderr := run(t, "server", "-addr", addr)
		require.Equal(t, 1, exit)
		require.Regexp(t, `^server: listen tcp .*\n$`, stderr)
	})
	t.Run("wrong usage", func(t *testing.T) {
		for _, args := range [][]string{
			{"server", "-port", "1"}, {"server", "log"}, {"client", "-n", "-1"}, {"client", "3"},
		} {
			exit, _, stderr := run(t, args[0], args[1:]...)
			require.Equal(t, 2, exit, "%q: %s", args, stderr)
		}
	})
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String()+" ends the server", func(t *testing.T) {
			server, addr := serve(t)
			exit, _, stderr := run(t, "client", "-addr", addr)
			require.Zero(t, exit, stderr)
			server.Signal(signal)
			exit, _, stderr = server.Wait()
			require.Zero(t, exit, stderr)

			exit, _, stderr = run(t, "client", "-addr", addr)
			require.Equal(t, 1, exit)
			require.Regexp(t, `^client: snapshot: Unavailable: .*\n$`, stderr)
		})
	}
}
