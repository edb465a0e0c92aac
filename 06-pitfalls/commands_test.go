package pitfalls_test

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pitfalls "example.com/streams/06-pitfalls"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/golden"
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
	t.Run("client guesses", func(t *testing.T) {
		status, stdout, stderr := client(t, "our", "streams", "end", "every", "30", "minutes")
		require.Zero(t, status, stderr)
		require.Contains(t, stdout, "Nothing has \"our streams end every 30 minutes\".")
		require.Contains(t, stdout, `debug data: "max_age"`)
		require.Contains(t, stdout, "\n    06-pitfalls/too-many-pings/README.md\n")
	})
	for says, args := range map[string][]string{
		`client: no pitfall and no text of docs/errors.md shares a word with "xyzzy plugh"; without words, client lists the pitfalls (see -help)`: {"xyzzy", "plugh"},
		`client: -limit: must be at least 2s, got 0s (see -help)`:                                                                                 {"-limit", "0s", "send-eof"},
	} {
		t.Run("client refuses "+args[0], func(t *testing.T) {
			status, _, stderr := client(t, args...)
			require.Equal(t, 2, status)
			require.Equal(t, says+"\n", stderr)
		})
	}
	for _, words := range []string{"", "CloseSend", "send-eof", "too-many-pings", "every 30 minutes"} {
		t.Run("client cannot write, "+words, func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skip("only Linux has a device that is full: ", err)
			}
			defer full.Close()
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "client"), words)
			cmd.Stdout = full
			var stderr strings.Builder
			cmd.Stderr = &stderr
			require.Error(t, cmd.Run())
			require.Equal(t, 1, cmd.ProcessState.ExitCode())
			require.Equal(t, "client: write /dev/stdout: no space left on device\n", stderr.String())
		})
	}
	t.Run("server survives hostile calls", func(t *testing.T) {
		server := testproc.Start(t, filepath.Join(dir, "server"), "-addr", "localhost:0")
		addr, _ := strings.CutPrefix(server.Line(server.Stderr), "server: listening on ")
		var attacks sync.WaitGroup
		for name := range pitfalls.Demos {
			for _, key := range []string{"broken/" + name, "fixed/" + name} {
				client := dial(t, addr)
				attacks.Go(func() { attack(t.Context(), client, key) })
			}
		}
		attacks.Wait()
		for _, unknown := range []string{"fixed/handler-panic", "fixed/stream-interceptor"} {
			code := ping(t, addr, unknown)
			require.Equal(t, codes.NotFound, code, "%s needs server options, and must not be served without them", unknown)
		}
		require.Equal(t, codes.OK, ping(t, addr, ""), "the server still runs")
	})
	t.Run("server serves the demos", func(t *testing.T) {
		server := testproc.Start(t, filepath.Join(dir, "server"), "-addr", "localhost:0")
		addr, ok := strings.CutPrefix(server.Line(server.Stderr), "server: listening on ")
		require.True(t, ok)
		status, stdout, stderr := client(t, "-addr", addr, "-wire", "send-eof")
		require.Zero(t, status, stderr)
		require.Contains(t, stdout, "InvalidArgument: value: must be at least 0, got -2\n")
		require.Contains(t, stderr, ":path=/pitfalls.v1.PitfallService/Sum")

		_, _, stderr = client(t, "-addr", addr, "-wire=all", "send-eof")
		require.Contains(t, stderr, "MAX_CONCURRENT_STREAMS=10")

		status, _, stderr = client(t, "-addr", "localhost:1", "send-eof")
		require.Equal(t, 1, status)
		require.Contains(t, stderr, "client: Unavailable: ", "no server listens there")
	})
}

// README.md shows how to make this dump, and these lines of it.
func TestDump_ShowsWhereTheDemoWaits(t *testing.T) {
	dir := testproc.Build(t, "./cmd/client")
	for range 100 {
		demo := testproc.Start(t, filepath.Join(dir, "client"), "-limit", "60s", "-wire", "missing-closesend")
		for answers := 0; answers < 3; {
			if strings.Contains(demo.Line(demo.Stderr), "S->C DATA") {
				answers++
			}
		}
		demo.Signal(syscall.SIGQUIT)
		_, _, dump := demo.Wait()
		stacks := excerpt(dump, ".BrokenEcho(") + "\n" + excerpt(dump, ".(*Server).Echo(")
		if strings.Count(stacks, "[select]:") == 2 && strings.Contains(stacks, ").readMessageHeaderClient(") &&
			strings.Contains(stacks, ").readMessageHeader(") { // both wait for a message
			golden.File(t, "testdata/dump.txt", stacks)
			return
		}
	}
	require.Fail(t, "client and handler do not both wait in any of 100 dumps")
}

// excerpt returns the stack of the goroutine that has called function: down to
// where it waits, and then function, without files and arguments.
func excerpt(dump, function string) string {
	for stack := range strings.SplitSeq(dump, "\n\n") {
		if !strings.Contains(stack, function) {
			continue
		}
		lines := "goroutine ... " + state.FindString(stack) + ":\n"
		waits := false
		for _, call := range calls.FindAllString(stack, -1) {
			switch {
			case !waits:
				lines += call + "(...)\n"
				if waits = !strings.HasPrefix(call, "runtime."); waits {
					lines += "...\n"
				}
			case strings.HasSuffix(call+"(", function):
				return lines + call + "(...)\n...\n"
			}
		}
	}
	return "no goroutine has called " + function
}

var (
	state = regexp.MustCompile(`\[.*\]`)
	calls = regexp.MustCompile(`(?m)^[a-z][\w./-]*\.(\(\*?\w+\)\.)?\w+`)
)

// attack makes calls with values that a demo does not send, and leaves.
func attack(ctx context.Context, client pitfallsv1.PitfallServiceClient, pitfall string) {
	ctx, leave := context.WithTimeout(metadata.AppendToOutgoingContext(ctx, "pitfall", pitfall), time.Second)
	defer leave()
	for _, value := range []int64{-1, 0, math.MinInt64, math.MaxInt64} {
		if count, err := client.Count(ctx, &pitfallsv1.CountRequest{To: value, Padding: 5 << 20}); err == nil {
			_, _ = count.Header()
		}
		if sum, err := client.Sum(ctx); err == nil {
			_ = sum.Send(&pitfallsv1.Number{Value: value})
			_ = sum.CloseSend()
		}
		if echo, err := client.Echo(ctx); err == nil {
			_ = echo.Send(&pitfallsv1.Number{Value: value})
			_ = echo.CloseSend()
			_, _ = echo.Recv()
		}
	}
}

func ping(t *testing.T, addr, pitfall string) codes.Code {
	ctx := metadata.AppendToOutgoingContext(t.Context(), "pitfall", pitfall)
	_, err := dial(t, addr).Ping(ctx, &pitfallsv1.PingRequest{})
	return status.Code(err)
}

func dial(t *testing.T, addr string) pitfallsv1.PitfallServiceClient {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return pitfallsv1.NewPitfallServiceClient(conn)
}
