// Package commandtest starts a test binary once more, as the command that
// it tests: a process of its own, which nobody has to build, and which may
// be sent signals.
package commandtest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const envVar = "RUN_AS_COMMAND"

// Run is what a TestMain exits with. In a process of [Start] it runs the
// command of that name, elsewhere the tests.
func Run(m *testing.M, commands map[string]func() int) int {
	name, ok := os.LookupEnv(envVar)
	if !ok {
		return m.Run()
	}
	return commands[name]()
}

// A Process is a running command.
type Process struct {
	Stdout, Stderr *bufio.Reader

	t   *testing.T
	cmd *exec.Cmd
}

// Start starts the command with an empty stdin. It is killed when the test
// ends.
func Start(t *testing.T, name string, args ...string) *Process {
	t.Helper()
	return StartWithInput(t, nil, name, args...)
}

// StartWithInput is [Start], with a stdin.
func StartWithInput(t *testing.T, stdin *os.File, name string, args ...string) *Process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, args...)
	if stdin != nil { // a nil *os.File is not a nil io.Reader
		cmd.Stdin = stdin
	}
	cmd.Env = append(os.Environ(), envVar+"="+name,
		"GORACE=atexit_sleep_ms=0") // else -race waits a second at each exit
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails if it has ended, as it should
		_ = cmd.Wait()
	})
	return &Process{bufio.NewReader(stdout), bufio.NewReader(stderr), t, cmd}
}

// Line returns the next line of r, which is Stdout or Stderr, when it has
// been printed.
func (p *Process) Line(r *bufio.Reader) string {
	p.t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(p.t, err, "after %q", line)
	return strings.TrimSuffix(line, "\n")
}

// Signal sends a signal, or skips the test where there are none.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if runtime.GOOS == "windows" {
		p.t.Skip("a process there cannot be sent a signal")
	}
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// End waits for the end, and returns the exit status, -1 after a deadly
// signal, and what was printed and not yet read.
func (p *Process) End() (exit int, stdout, stderr string) {
	p.t.Helper()
	out, err := io.ReadAll(p.Stdout)
	require.NoError(p.t, err)
	errs, err := io.ReadAll(p.Stderr)
	require.NoError(p.t, err)
	_ = p.cmd.Wait() // the exit status says more
	return p.cmd.ProcessState.ExitCode(), string(out), string(errs)
}
