package balancing_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	command := filepath.Join(testproc.Build(t, "./cmd/fleet"), "fleet")

	// A busy machine connects so slowly that pick_first tries its second
	// address too, so the numbers vary.
	t.Run("fleet prints the streams of each server", func(t *testing.T) {
		rows := regexp.MustCompile(`^streams on +a +b +c +d
120 clients( +\d+){2}
c joins( +\d+){2} +0
two ages later( +\d+){3}
d joins, a stops( +\d+){4}
each client received every entry, and none twice
$`)
		exit, stdout, stderr := testproc.Start(t, command, "-age=0").Wait()
		require.Zero(t, exit, stderr)
		require.Regexp(t, rows, stdout)
		require.Equal(t, 120, sum(t, stdout, "two ages later"), "streams of all servers")
		for _, file := range []string{"pick_first.txt", "shuffled.txt"} { // in README.md
			recorded, err := os.ReadFile(filepath.Join("testdata", file))
			require.NoError(t, err)
			require.Regexp(t, rows, string(recorded))
			require.Equal(t, 120, sum(t, string(recorded), "two ages later"), file)
		}
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

// sum adds up the numbers of a row.
func sum(t *testing.T, table, row string) (n int) {
	_, rest, _ := strings.Cut(table, "\n"+row)
	line, _, _ := strings.Cut(rest, "\n")
	for field := range strings.FieldsSeq(line) {
		streams, err := strconv.Atoi(field)
		require.NoError(t, err)
		n += streams
	}
	return n
}
