package memory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

var number = regexp.MustCompile(` +\d+`)

// The committed result has the lines of the command, with other numbers.
func TestCommand_PrintsTheTable(t *testing.T) {
	cost := filepath.Join(testproc.Build(t, "./cmd/cost"), "cost")
	status, stdout, stderr := testproc.Start(t, cost).Wait()
	require.Zero(t, status)
	require.Empty(t, stderr)
	const file = "testdata/cost.txt"
	if golden.Update() {
		golden.File(t, file, stdout)
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, number.ReplaceAllString(string(want), " 0"), number.ReplaceAllString(stdout, " 0"))

	p := testproc.Start(t, cost)
	p.Line(p.Stdout)
	p.Signal(os.Interrupt)
	p.RequireExit(130, "", "cost: interrupted\n")
	testproc.Start(t, cost, "now").RequireExit(2, "", "cost: unexpected argument \"now\" (see -help)\n")
}
