package security_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// The page has most of the output, and go test ./docs compares it.
func TestCommands(t *testing.T) {
	demo := filepath.Join(testproc.Build(t, "./cmd/..."), "demo")

	t.Run("demo begins with the naive check", func(t *testing.T) {
		p := testproc.Start(t, demo)
		require.Equal(t, "1. A check when the stream opens, and never again", p.Line(p.Stdout))
		p.Signal(os.Interrupt)
		status, _, stderr := p.Wait()
		require.Equal(t, 130, status)
		require.Equal(t, "demo: interrupted\n", stderr)
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, demo, "now").RequireExit(2, "", `demo: unexpected argument "now" (see -help)`+"\n")
	})
}
