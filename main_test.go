package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

func TestCommands_ReportWrongUse(t *testing.T) {
	guide := filepath.Join(testproc.Build(t, "."), "streams")
	testproc.Start(t, guide, "help").RequireExit(0, usage, "")
	for _, args := range [][]string{{"wacth"}, {"reset"}, {"ready", "now"}, {"room"}, {"hint", "1", "2"}} {
		testproc.Start(t, guide, args...).RequireExit(2, "", usage)
	}
	for _, command := range []string{"watch", "hint", "reset", "solution"} {
		status, stdout, stderr := testproc.Start(t, guide, command, "nine").Wait()
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Contains(t, stderr, `course: there is no exercise "nine"; write one of `)
	}
}

func TestReset_AsksFirst(t *testing.T) {
	guide := filepath.Join(testproc.Build(t, "."), "streams")
	p := testproc.Start(t, guide, "reset", "03")
	p.Type("n\n")
	p.RequireExit(0, "Replace 03-client-stream/exercise/exercise.go by the stub? [y/N] Nothing is changed.\n", "")
}
