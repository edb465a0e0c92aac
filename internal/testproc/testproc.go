// Package testproc runs code in a process of its own: a command of this
// repository, or a part of a test that may kill its process.
package testproc

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sources is a template for go list: the Go files of this module.
const sources = `{{if and .Module .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`

// Build builds main packages, such as "./cmd/server", and returns the folder
// with their executables. The folder is removed when the test ends.
func Build(t testing.TB, packages ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	// -w: without debug information, which builds faster.
	args := append([]string{"build", "-ldflags=-w", "-o", dir + string(filepath.Separator)}, packages...)
	out, err := exec.Command("go", args...).CombinedOutput()
	require.NoError(t, err, "go build: %s", out)
	// go test caches a result until a file changes that the test itself has
	// looked at. What go build reads does not count.
	out, err = exec.Command("go", append([]string{"list", "-deps", "-f", sources}, packages...)...).Output()
	require.NoError(t, err)
	for file := range strings.Lines(string(out)) {
		_, err = os.Stat(strings.TrimSpace(file))
		require.NoError(t, err)
	}
	return dir
}

// A Process is a running command. Its methods must not be called
// concurrently.
type Process struct {
	Stdin          io.WriteCloser // closed by Wait
	Stdout, Stderr *bufio.Reader

	t   testing.TB
	cmd *exec.Cmd
}

// Start starts an executable. The process is killed when the test ends.
func Start(t testing.TB, executable string, args ...string) *Process {
	t.Helper()
	return StartCmd(t, exec.Command(executable, args...))
}

// StartServer starts a server that uses package cli on a free port, and
// returns its address.
func StartServer(t testing.TB, executable string, args ...string) (p *Process, addr string) {
	t.Helper()
	p = Start(t, executable, append([]string{"-addr=localhost:0"}, args...)...)
	for {
		line := p.Line(p.Stderr)
		if _, addr, ok := strings.Cut(line, ": listening on "); ok {
			return p, addr
		}
		t.Log(line)
	}
}

// childVar names the test that runs in the process of Self.
const childVar = "TESTPROC_CHILD"

// Self starts the running test again in a process of its own. There it calls
// f, in which os.Args holds args, and ends the process with the status that
// f returns. Here f is not called. env holds more variables, as "NAME=value".
//
// Call Self once in a test or subtest, and do not call it in a bubble. A
// bubble may be in f.
func Self(t *testing.T, f func() (status int), args []string, env ...string) *Process {
	t.Helper()
	if os.Getenv(childVar) == t.Name() {
		os.Args = os.Args[:1:1]
		if list := os.Getenv(childVar + "_ARGS"); list != "" {
			os.Args = append(os.Args, strings.Split(list, "\n")...)
		}
		os.Exit(f()) //nolint:revive // only a process has an exit status
	}
	executable, err := os.Executable()
	require.NoError(t, err)
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command(executable, "-test.run="+pattern, "-test.count=1", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), childVar+"="+t.Name(), childVar+"_ARGS="+strings.Join(args, "\n"),
		"GORACE=atexit_sleep_ms=0") // otherwise -race waits a second at exit
	cmd.Env = append(cmd.Env, env...)
	return StartCmd(t, cmd)
}

// StartCmd starts cmd, whose pipes must not be set. The process is killed
// when the test ends.
func StartCmd(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails if the process has ended, as it should
		_ = cmd.Wait()
	})
	return &Process{stdin, bufio.NewReader(stdout), bufio.NewReader(stderr), t, cmd}
}

// Line waits for the next line of r, which is Stdout or Stderr, and returns
// it without its end.
func (p *Process) Line(r *bufio.Reader) string {
	p.t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(p.t, err, "after %q", line)
	return strings.TrimRight(line, "\r\n")
}

// Type writes text to Stdin.
func (p *Process) Type(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.Stdin, text)
	require.NoError(p.t, err)
}

// Signal sends a signal. On Windows, where no signal but Kill can be sent,
// Signal skips the test for all others.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if runtime.GOOS == "windows" && s != os.Kill {
		p.t.Skipf("Windows cannot send %v to a process", s)
	}
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// Wait closes Stdin and waits until the process has ended. It returns the
// exit status, which is -1 after a signal that killed the process, and what
// the process printed that was not read yet.
func (p *Process) Wait() (status int, stdout, stderr string) {
	p.t.Helper()
	_ = p.Stdin.Close() // fails if it was closed before
	errs := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(p.Stderr) // the exit status says more
		errs <- string(text)
	}()
	out, err := io.ReadAll(p.Stdout)
	require.NoError(p.t, err)
	stderr = <-errs
	_ = p.cmd.Wait() // the exit status says more
	return p.cmd.ProcessState.ExitCode(), string(out), stderr
}

// RequireExit calls [Process.Wait] and requires what it returns.
func (p *Process) RequireExit(status int, stdout, stderr string) {
	p.t.Helper()
	gotStatus, gotStdout, gotStderr := p.Wait()
	require.Equal(p.t, stderr, gotStderr, "stderr of %q", p.cmd.Args)
	require.Equal(p.t, stdout, gotStdout, "stdout of %q", p.cmd.Args)
	require.Equal(p.t, status, gotStatus, "exit status of %q", p.cmd.Args)
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }
