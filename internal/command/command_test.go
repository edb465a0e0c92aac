package command

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/command/commandtest"
)

func TestAnEndIsAnExitStatusAndOneLineAtMost(t *testing.T) {
	for _, tt := range []struct {
		command string
		args    []string
		exit    int
		stderr  string
	}{
		{"ok", nil, 0, ""},
		{"fail", nil, 1, `client: logs: OutOfRange: the oldest is 7; \x1b[2J` + "\n"},
		{"cancelled", nil, 1, "client: Canceled: by the server\n"},
		{"usage", nil, 2, "client: count: -n -1 is negative (see -help)\n"},
		{"ok", []string{"-m"}, 2, "client: flag provided but not defined: -m (see -help)\n"},
		{"ok", []string{"arg", "-m"}, 2, "client: flag provided but not defined: -m (see -help)\n"},
		{"ok", []string{"-n"}, 2, "client: flag needs an argument: -n (see -help)\n"},
		{"ok", []string{"-n", "few"}, 2, `client: invalid value "few" for flag -n: parse error (see -help)` + "\n"},
	} {
		exit, stdout, stderr := commandtest.Start(t, tt.command, tt.args...).End()
		require.Equal(t, tt.stderr, stderr, "%s %q", tt.command, tt.args)
		require.Equal(t, tt.exit, exit)
		require.Empty(t, stdout)
	}
}

func TestFlagsMayFollowArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{}, "10 []"},
		{[]string{"-n", "3", "report", "q3"}, "3 [report q3]"},
		{[]string{"report", "-n", "3", "q3"}, "3 [report q3]"},
		{[]string{"report", "q3", "-n=3"}, "3 [report q3]"},
		{[]string{"report", "--", "-n"}, "10 [report -n]"},
		{[]string{"--", "-n"}, "10 [-n]"},
	} {
		exit, stdout, stderr := commandtest.Start(t, "echo", tt.args...).End()
		require.Equal(t, tt.want+"\n", stdout, "%q", tt.args)
		require.Equal(t, 0, exit)
		require.Empty(t, stderr)
	}
}

func TestHelpPrintsTheFlagsAndSucceeds(t *testing.T) {
	exit, stdout, stderr := commandtest.Start(t, "fail", "report", "-help").End()
	require.Contains(t, stderr, "-n many\n    \thow many (default 10)\n")
	require.Equal(t, 0, exit)
	require.Empty(t, stdout)
}

func TestASignalCancelsTheContextAndRunCleansUp(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := commandtest.Start(t, "wait")
		require.Equal(t, "waiting", p.Line(p.Stdout))
		p.Signal(s)
		exit, stdout, stderr := p.End()
		require.Equal(t, "client: interrupted\n", stderr)
		require.Equal(t, 130, exit)
		require.Equal(t, "cleaned up\n", stdout)
	}
}

func TestASecondSignalEndsACommandThatIgnoresTheFirst(t *testing.T) {
	p := commandtest.Start(t, "stubborn")
	require.Equal(t, "waiting", p.Line(p.Stdout))
	p.Signal(os.Interrupt)
	require.Equal(t, "told", p.Line(p.Stdout))
	p.Signal(os.Interrupt)
	exit, _, stderr := p.End()
	require.Equal(t, -1, exit, "killed by the signal")
	require.Empty(t, stderr)
}
