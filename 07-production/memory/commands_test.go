package memory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

var number = regexp.MustCompile(` +\d+`)

// The committed result has the lines of the command, with other numbers.
func TestCommand_PrintsTheTable(t *testing.T) {
	cost := filepath.Join(testproc.Build(t, "./cmd/cost"), "cost")
	status, stdout, stderr := testproc.Start(t, cost).Wait()
	require.Zero(t, status)
	require.Empty(t, stderr)
	result, err := os.ReadFile("testdata/cost.txt")
	require.NoError(t, err)
	require.Equal(t, number.ReplaceAllString(string(result), " 0"), number.ReplaceAllString(stdout, " 0"),
		"testdata/cost.txt differs in more than numbers; run the command again")

	p := testproc.Start(t, cost)
	p.Line(p.Stdout)
	p.Signal(os.Interrupt)
	p.RequireExit(130, "", "cost: interrupted\n")
	testproc.Start(t, cost, "now").RequireExit(2, "", "cost: unexpected argument \"now\" (see -help)\n")
}
