package balancing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	command := filepath.Join(testproc.Build(t, "./cmd/fleet"), "fleet")

	t.Run("fleet prints the streams of each server", func(t *testing.T) {
		testproc.Start(t, command, "-policy=pick_first", "-age=0").RequireExit(0, `streams on             a     b     c     d
120 clients          120     0
c joins              120     0     0
two ages later       120     0     0
d joins, a stops       0   120     0     0
each client received every entry, and none twice
`, "")
	})
	t.Run("fleet ends at a signal", func(t *testing.T) {
		p := testproc.Start(t, command)
		p.Line(p.Stdout)
		p.Signal(os.Interrupt)
		exit, _, stderr := p.Wait()
		require.Equal(t, "fleet: interrupted\n", stderr)
		require.Equal(t, 130, exit)
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, command, "-age=-1s").RequireExit(2, "", "fleet: -age: must be at least 0, got -1s (see -help)\n")
		testproc.Start(t, command, "-policy=best").RequireExit(2, "",
			`fleet: -policy: must be pick_first, shuffled, round_robin or least_request, got "best" (see -help)`+"\n")
		testproc.Start(t, command, "all").RequireExit(2, "", `fleet: unexpected argument "all" (see -help)`+"\n")
	})
}
