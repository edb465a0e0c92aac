package testproc

import (
	"bufio"
	"fmt"
	"os"
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

	_, err := p.Stdin.Write([]byte("hello\n"))
	require.NoError(t, err)
	require.Equal(t, "[-n 3 two words] blue", p.Line(p.Stdout))
	status, stdout, stderr := p.Wait()
	require.Equal(t, 7, status)
	require.Empty(t, stdout)
	require.Equal(t, "stdin: \"hello\\n\", <nil>\n", stderr)
}

func TestSelf_WorksInASubtest(t *testing.T) {
	for _, word := range []string{"one", "a/b c"} {
		t.Run(word, func(t *testing.T) {
			status, stdout, _ := Self(t, func() int { fmt.Println(word); return 0 }, nil).Wait()
			require.Zero(t, status)
			require.Equal(t, word+"\n", stdout)
		})
	}
}

func TestProcess_KilledBySignalHasStatusMinusOne(t *testing.T) {
	p := Self(t, func() int { fmt.Println("started"); select {} }, nil)
	require.Equal(t, "started", p.Line(p.Stdout))
	p.Signal(os.Kill)
	status, _, _ := p.Wait()
	require.NotZero(t, status)
}
