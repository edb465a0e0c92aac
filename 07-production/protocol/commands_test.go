package protocol_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// go test ./docs runs the demo to its end.
func TestCommands(t *testing.T) {
	demo := filepath.Join(testproc.Build(t, "./cmd/..."), "demo")

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
