package testproc

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSelf_RunsTheFunctionInAnotherProcess(t *testing.T) {
	p := Self(t, func() int {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Println(os.Args[1:], os.Getenv("COLOR"))
		fmt.Fprintf(os.Stderr, "stdin: %q, %v\n", line, err)
		return 7
	}, []string{"-n", "3", "two words"}, "COLOR=blue")

	p.Type("hello\n")
	require.Equal(t, "[-n 3 two words] blue", p.Line(p.Stdout))
	p.RequireExit(7, "", "stdin: \"hello\\n\", <nil>\n")
}

func TestSelf_WorksInASubtest(t *testing.T) {
	for _, word := range []string{"one", "a/b c"} {
		t.Run(word, func(t *testing.T) {
			Self(t, func() int { fmt.Println(word); return 0 }, nil).RequireExit(0, word+"\n", "")
		})
	}
}

func TestProcess_KilledBySignalHasStatusMinusOne(t *testing.T) {
	p := Self(t, func() int { fmt.Println("started"); select {} }, nil)
	require.Equal(t, "started", p.Line(p.Stdout))
	p.Signal(os.Kill)
	status, _, _ := p.Wait()
	if runtime.GOOS == "windows" {
		require.NotZero(t, status) // Windows has no signals
		return
	}
	require.Equal(t, -1, status)
}

// A Signal that always skips would skip the tests of all commands, and
// nobody would see it.
func TestSignal_SkipsOnWindowsOnly(t *testing.T) {
	defer func() {
		require.Equal(t, runtime.GOOS == "windows", t.Skipped())
	}()
	p := Self(t, func() int { fmt.Println("started"); select {} }, nil)
	require.Equal(t, "started", p.Line(p.Stdout))
	p.Signal(syscall.SIGTERM)
	p.RequireExit(-1, "", "")
}
