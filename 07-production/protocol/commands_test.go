package protocol_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	demo := filepath.Join(testproc.Build(t, "./cmd/..."), "demo")

	t.Run("demo shows five acts", func(t *testing.T) {
		status, stdout, stderr := testproc.Start(t, demo).Wait()
		require.Zero(t, status, stderr)
		for _, want := range []string{
			`   0 outputs of 4; InvalidArgument: item 3: input: must be a duration, got "soon"`,
			`   item 3: Unknown: input: must be a duration, got "soon"`,
			"   item 1: slept 900ms", "   item 2: slept 600ms", "   item 4: slept 300ms",
			"   naive: 200", "   with credits: 4",
			"   FailedPrecondition: versions: must contain 2, got [1]",
			"   the laptop goes to sleep after 163840 bytes",
			"   committed 327680 bytes; the second call sent 163840",
		} {
			require.Contains(t, stdout, want+"\n")
		}
	})
	t.Run("demo begins with the naive stream", func(t *testing.T) {
		p := testproc.Start(t, demo)
		require.Equal(t, "1. The naive stream: an error of item 3", p.Line(p.Stdout))
		for p.Line(p.Stdout) != "2. A status for each item" {
			continue
		}
		p.Signal(os.Interrupt)
		status, _, stderr := p.Wait()
		require.Equal(t, 130, status)
		require.Equal(t, "demo: interrupted\n", stderr)
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, demo, "now").RequireExit(2, "", `demo: unexpected argument "now" (see -help)`+"\n")
	})
}
