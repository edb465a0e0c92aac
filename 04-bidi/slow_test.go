//go:build unix

package bidi_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// Bob's window and what gRPC keeps behind his writer hold 33 texts of 4,000
// bytes. The writer waits in Send with text 34, and 16 texts fill the queue.
func TestSlow_StoppedProcessDelaysNobody(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client := filepath.Join(dir, "client")
	_, addr := testproc.StartServer(t, filepath.Join(dir, "server"), "-queue=64")
	bob := testproc.Start(t, client, "-addr", addr, "-name=bob")
	requireLines(t, bob, "* bob joined")
	bob.Signal(syscall.SIGSTOP)

	var said strings.Builder
	for i := range 100 {
		fmt.Fprintf(&said, "%-4000d\n", i+1)
	}
	ann := testproc.Start(t, client, "-addr", addr)
	go func() { // at the same time as the test reads
		_, _ = io.WriteString(ann.Stdin, said.String())
		_ = ann.Stdin.Close()
	}()
	seen, err := io.ReadAll(ann.Stdout)
	require.NoError(t, err)
	ann.RequireExit(0, "", "")

	bob.Signal(syscall.SIGCONT)
	status, late, stderr := bob.Wait()
	require.Equal(t, 1, status)
	golden.File(t, "testdata/slow.txt",
		"Ann, at once:\n"+firstAndLast(string(seen))+"\nBob, after fg:\n"+firstAndLast(late)+stderr)
}

// firstAndLast returns lines without their trailing spaces. Of texts in a row,
// it keeps the first and the last.
func firstAndLast(lines string) string {
	all := strings.Split(strings.TrimSpace(lines), "\n")
	text := func(i int) bool { return i >= 0 && i < len(all) && strings.HasPrefix(all[i], "ann: ") }
	var kept strings.Builder
	for i, line := range all {
		switch {
		case !text(i) || !text(i-1) || !text(i+1):
			fmt.Fprintln(&kept, strings.TrimSpace(line))
		case !text(i - 2): // the second of a row
			fmt.Fprintln(&kept, "...")
		}
	}
	return kept.String()
}
