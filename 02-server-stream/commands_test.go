package serverstream_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

// requireLog expects that a client ends with an exit status, after it has
// printed stdout and, to stderr, where to resume and then the error. It
// returns the value for -after.
func requireLog(t *testing.T, client *testproc.Process, status int, stdout, err string) (after string) {
	t.Helper()
	gotStatus, gotStdout, stderr := client.Wait()
	require.Equal(t, stdout, gotStdout)
	require.Regexp(t, `^logs: resume with -after [0-9a-f]{8}:\d+\n`, stderr)
	resume, gotErr, _ := strings.Cut(stderr, "\n")
	require.Equal(t, err, gotErr)
	require.Equal(t, status, gotStatus)
	return strings.TrimPrefix(resume, "logs: resume with -after ")
}

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")

	t.Run("client prints the log of the in-process server", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, client, "-n=1", "-grep=INFO").Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `^INFO .*\n$`, stdout)
	})
	t.Run("client writes a report to stdout", func(t *testing.T) {
		want, err := os.ReadFile("samples/daily.csv")
		require.NoError(t, err)
		testproc.Start(t, client, "report", "daily.csv").
			RequireExit(0, string(want), "report daily.csv: 33009 bytes, SHA-256 verified\n")
	})
	t.Run("client prints the status", func(t *testing.T) {
		testproc.Start(t, client, "report", "sales").
			RequireExit(1, "", "client: report sales: NotFound: report: file does not exist\n")
	})
	t.Run("client fails if it cannot write", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip(err)
		}
		for _, args := range [][]string{{"-n=1"}, {"report", "daily.csv"}} {
			run := append([]string{"-c", `exec "$0" "$@" > /dev/full`, client}, args...)
			status, _, stderr := testproc.Start(t, "sh", run...).Wait()
			require.Equal(t, 1, status, "%q", args)
			require.Regexp(t, `^client: (report daily.csv: )?write /dev/stdout: no space left on device\n$`, stderr)
		}
	})
	t.Run("client escapes what a terminal would obey", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		p.Type("\x1b[2J \u202e \r \xff\n")
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=1"), 0, `\x1b[2J \u202e \r \ufffd`+"\n", "")
	})
	t.Run("server refuses a request above 64 KiB", func(t *testing.T) {
		_, addr := testproc.StartServer(t, server)
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(),
			&logsv1.LogRequest{Contains: strings.Repeat("x", 64<<10)})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.ErrorContains(t, err, "grpc: received message larger than max (65540 vs. 65536)")
	})
	t.Run("server reads the log from stdin", func(t *testing.T) {
		long := strings.Repeat("x", 20_000) + "\n" // becomes two entries
		p, addr := testproc.StartServer(t, server)
		p.Type("one\ntwo\nthree\n" + long)
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=5"), 0, "one\ntwo\nthree\n"+long, "")
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=2", "-after=1", "logs"), 0, "two\nthree\n", "")
	})
	t.Run("server makes the log up if stdin is /dev/null", func(t *testing.T) {
		if _, err := os.Stat("/dev/null"); err != nil {
			t.Skip(err)
		}
		p := testproc.Start(t, "sh", "-c", `exec "$0" -addr=localhost:0 < /dev/null`, server)
		_, addr, _ := strings.Cut(p.Line(p.Stderr), ": listening on ")
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=1").Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `^(INFO|WARN|ERROR) `, stdout)
	})
	t.Run("server holds -retention entries", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server, "-retention=1")
		p.Type("one\n")
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=1"), 0, "one\n", "")
		p.Type("two\n")
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=1", "-after=1"), 0, "two\n", "")
		require.NoError(t, p.Stdin.Close()) // the server keeps serving
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=1"), 0, "two\n", "")
	})
	t.Run("server serves the reports in -reports", func(t *testing.T) {
		reports := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(reports, "sales"), []byte("7,7,7\n"), 0o600))
		_, addr := testproc.StartServer(t, server, "-reports", reports)
		testproc.Start(t, client, "-addr", addr, "report", "sales").
			RequireExit(0, "7,7,7\n", "report sales: 6 bytes, SHA-256 verified\n")
	})
	t.Run("SIGTERM drains the server", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		p.Type("one\n")
		follower := testproc.Start(t, client, "-addr", addr)
		require.Equal(t, "one", follower.Line(follower.Stdout))
		p.Signal(syscall.SIGTERM)
		p.RequireExit(0, "", "")
		requireLog(t, follower, 1, "", "client: logs: Unavailable: shutting down; resume after 1\n")
	})
	t.Run("client resumes where it says", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		p.Type("one\ntwo\nthree\n")
		after := requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=2"), 0, "one\ntwo\n", "")
		requireLog(t, testproc.Start(t, client, "-addr", addr, "-n=1", "-after="+after), 0, "three\n", "")
		p, addr = testproc.StartServer(t, server) // as after a restart
		p.Type("new\nnew\nnew\n")
		status, stdout, stderr := testproc.Start(t, client, "-addr", addr, "-n=1", "-after="+after).Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Regexp(t, `^client: logs: OutOfRange: after: 2 belongs to another log; this log is [0-9a-f]{8}\n$`, stderr)
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, client, "-n=-1").RequireExit(2, "", "client: -n: must be at least 0, got -1 (see -help)\n")
		testproc.Start(t, client, "-after=a:b").
			RequireExit(2, "", `client: invalid value "a:b" for flag -after: must be SEQUENCE or LOG:SEQUENCE (see -help)`+"\n")
		testproc.Start(t, client, "report").
			RequireExit(2, "", `client: arguments: must be "logs" or "report ID", got ["report"] (see -help)`+"\n")
		testproc.Start(t, server, "-retention=0").
			RequireExit(2, "", "server: -retention: must be at least 1, got 0 (see -help)\n")
	})
}
