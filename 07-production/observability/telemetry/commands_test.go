package telemetry

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// sample is a run of demo, as the page shows it.
const sample = "testdata/demo.txt"

// shape returns the different lines of a run, without what differs between
// two runs.
func shape(run string) []string {
	run = regexp.MustCompile(` blocked=\S+`).ReplaceAllString(run, "")
	run = regexp.MustCompile(`[\d.]+(ms|s)?\b`).ReplaceAllString(run, "N")
	lines := strings.Split(run, "\n")
	slices.Sort(lines)
	return slices.Compact(lines)
}

func TestCommands(t *testing.T) {
	demo := filepath.Join(testproc.Build(t, "./cmd/demo"), "demo")
	t.Run("demo prints both", func(t *testing.T) {
		t.Parallel()
		status, stdout, stderr := testproc.Start(t, demo).Wait()
		require.Zero(t, status, stderr)
		want, _ := os.ReadFile(sample) // without it, the shapes differ
		if !slices.Equal(shape(string(want)), shape(stdout)) {
			golden.File(t, sample, stdout)
		}
		require.Regexp(t, `(?m)^otelgrpc +span "logs.v1.LogService/StreamLogs" took \S+$`, stdout)
		require.Regexp(t, `(?m)^otelgrpc +rpc.server.call.duration=\S+$`, stdout)
		require.Regexp(t, `(?m)^this lesson +stream.open=0 .* stream.ended=1$`, stdout)
	})
	t.Run("an interrupt ends demo", func(t *testing.T) {
		t.Parallel()
		p := testproc.Start(t, demo)
		p.Line(p.Stdout)
		p.Signal(os.Interrupt)
		status, _, stderr := p.Wait()
		require.Equal(t, 130, status)
		require.Equal(t, "demo: interrupted\n", stderr)
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, demo, "now").RequireExit(2, "", `demo: unexpected argument "now" (see -help)`+"\n")
	})
}
