package observability_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// sample is a run of observe, as the page shows it.
const sample = "testdata/observe.txt"

// shape returns the sorted lines of a run, without what differs between two
// runs: ports, times and counts.
func shape(run string) []string {
	run = regexp.MustCompile(`[\d.]+(µs|ms|s)?`).ReplaceAllString(run, "N")
	lines := strings.Split(run, "\n")
	slices.Sort(lines)
	return lines
}

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	observe, channelz := filepath.Join(dir, "observe"), filepath.Join(dir, "channelz")

	t.Run("observe prints counters and connections", func(t *testing.T) {
		t.Parallel()
		status, stdout, stderr := testproc.Start(t, observe).Wait()
		require.Zero(t, status, stderr)
		want, err := os.ReadFile(sample)
		require.NoError(t, err)
		if !slices.Equal(shape(string(want)), shape(stdout)) {
			golden.File(t, sample, stdout)
		}
		require.Regexp(t, `(?m)^2s open=4 unanswered=1 .* ended=map\[Canceled:1\]$`, stdout)
		require.Regexp(t, `(?m)^end open=0 unanswered=0 .* ended=map\[Canceled:1 Unavailable:4\]$`, stdout)
		followers := regexp.MustCompile(`(?m)^(\S+) -> \S+ open=1 sent=\d+ received=1 `).FindAllStringSubmatch(stdout, -1)
		require.Len(t, followers, 4)
		for _, f := range followers {
			require.Contains(t, stderr, "peer="+f[1]+" ")
		}
		require.Regexp(t, `msg="stream open" .* age=2(\.\d+)?s sent=\d+ received=1 blocked=`, stderr)
	})
	t.Run("channelz and SIGQUIT show a process that runs", func(t *testing.T) {
		t.Parallel()
		p := testproc.Start(t, observe, "-for=1m")
		_, admin, ok := strings.Cut(p.Line(p.Stderr), ", channelz on ")
		require.True(t, ok)
		for !strings.Contains(p.Line(p.Stderr), " blocked=") { // after a second
		}
		status, stdout, stderr := testproc.Start(t, channelz, "-addr", admin).Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `(?m)^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+ open=1 sent=0 received=1 last-sent=never$`, stdout)
		require.Equal(t, 6, strings.Count(stdout, "\n"), "five followers and channelz itself:\n%s", stdout)

		p.Signal(syscall.SIGQUIT)
		status, _, stderr = p.Wait()
		require.Equal(t, 2, status)
		require.Regexp(t, `transport\.\(\*writeQuota\)\.get\((.+\n)+.*logs\.\(\*LogServer\)\.StreamLogs\(`, stderr)
	})
	t.Run("SIGTERM drains observe", func(t *testing.T) {
		t.Parallel()
		p := testproc.Start(t, observe, "-for=1m")
		for !strings.Contains(p.Line(p.Stderr), "stream opened") {
		}
		p.Signal(syscall.SIGTERM)
		status, stdout, stderr := p.Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `^end open=0 .*\n$`, stdout)
	})
	t.Run("channelz shows itself or an address", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, channelz).Wait()
		require.Zero(t, status, stderr)
		require.Regexp(t, `^not-tcp -> not-tcp open=1 sent=2 received=3 last-sent=\S+ ago\n$`, stdout)
		testproc.Start(t, channelz, "-addr=127.0.0.1:1").RequireExit(1, "",
			`channelz: Unavailable: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`+"\n")
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, observe, "-for=0").RequireExit(2, "", "observe: -for: must be at least 1s, got 0s (see -help)\n")
		testproc.Start(t, observe, "x").RequireExit(2, "", `observe: unexpected argument "x" (see -help)`+"\n")
		testproc.Start(t, channelz, "x").RequireExit(2, "", `channelz: unexpected argument "x" (see -help)`+"\n")
	})
}
