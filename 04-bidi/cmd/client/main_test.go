package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/serve"
)

// TestMain lets the test start itself as the command, so that nothing has
// to be built and a process can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_CHAT_CLIENT") != "" {
		main()
	}
	os.Exit(m.Run())
}

// A process is a running client.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
	stderr bytes.Buffer
}

// start runs the client with its stdin open.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), exe, args...)}
	p.cmd.Env = append(os.Environ(), "RUN_CHAT_CLIENT=1",
		"GORACE=atexit_sleep_ms=0") // else -race waits a second at each exit
	p.cmd.Stderr = &p.stderr
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewScanner(stdout)
	require.NoError(t, p.cmd.Start())
	return p
}

func (p *process) types(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.stdin, text)
	require.NoError(p.t, err)
}

func (p *process) prints(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		require.True(p.t, p.stdout.Scan(), "want %q, got the end; stderr: %s", want, &p.stderr)
		require.Equal(p.t, want, p.stdout.Text())
	}
}

// exits waits for the end, after which nothing more was printed.
func (p *process) exits(code int, stderr string) {
	p.t.Helper()
	require.False(p.t, p.stdout.Scan(), "want the end, got %q", p.stdout.Text())
	_ = p.cmd.Wait() // the exit status says more
	require.Equal(p.t, code, p.cmd.ProcessState.ExitCode(), "stderr: %s", &p.stderr)
	require.Equal(p.t, stderr, p.stderr.String())
}

// serveTCP runs a chat until stop is called or the test ends.
func serveTCP(t *testing.T) (addr string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	hub := bidi.NewHub(64)
	s := serve.New()
	s.Drain, s.OnDrain = 5*time.Second, hub.Close
	chatv1.RegisterChatServiceServer(s, &bidi.ChatServer{Hub: hub})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.ServeUntil(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	return listener.Addr().String(), stop
}

func TestTwoClientsTalkAndOneIsToldThatTheOtherWasKilled(t *testing.T) {
	addr, _ := serveTCP(t)
	ann := start(t, "-addr", addr, "-name", "ann", "-room", "test")
	ann.prints("* ann joined")
	bob := start(t, "-addr", addr, "-name", "bob", "-room", "test")
	bob.prints("* bob joined")
	ann.prints("* bob joined")

	ann.types("hi\n")
	ann.prints("ann: hi")
	bob.prints("ann: hi")
	bob.types("hello\n")
	ann.prints("bob: hello")

	require.NoError(t, bob.cmd.Process.Kill())
	ann.prints("* bob was disconnected")
	require.Error(t, bob.cmd.Wait())

	require.NoError(t, ann.stdin.Close())
	ann.exits(0, "")
}

func TestAPipeSendsWaitsForItsEchoAndLeaves(t *testing.T) {
	addr, _ := serveTCP(t)
	bob := start(t, "-addr", addr, "-name", "bob")
	bob.prints("* bob joined")
	ann := start(t, "-addr", addr)
	ann.types("hi\r\n\n\tbell \a, no UTF-8 \xff\nbye")
	require.NoError(t, ann.stdin.Close())
	lines := []string{"* ann joined", "ann: hi", "ann: \tbell \uFFFD, no UTF-8 \uFFFD", "ann: bye"}
	ann.prints(lines...)
	ann.exits(0, "")
	bob.prints(append(lines, "* ann left")...)
	require.NoError(t, bob.stdin.Close())
	bob.exits(0, "")
}

func TestWithoutAServerThePartnerAnswersEveryLine(t *testing.T) {
	for name, tt := range map[string]struct {
		stdin string
		lines []string
	}{
		"nothing to say": {"", nil},
		"something":      {"one\ntwo\nthree\n", []string{"ann: one", "ann: two", "ann: three"}},
	} {
		t.Run(name, func(t *testing.T) {
			ann := start(t)
			ann.types(tt.stdin)
			require.NoError(t, ann.stdin.Close())
			said, answers := []string(nil), 0
			for ann.stdout.Scan() {
				switch line := ann.stdout.Text(); {
				case strings.HasPrefix(line, partner+": "):
					answers++
				default:
					said = append(said, line)
				}
			}
			ann.exits(0, "")
			require.Equal(t, append([]string{"* ann joined", "ann: hello"}, tt.lines...), said)
			require.Equal(t, 1+len(tt.lines), answers)
		})
	}
}

func TestTheServersShutdownIsAnError(t *testing.T) {
	addr, stop := serveTCP(t)
	ann := start(t, "-addr", addr)
	ann.prints("* ann joined")
	stop()
	ann.prints("* the server is shutting down")
	ann.exits(1, "client: chat: Unavailable: the server is shutting down; join again later\n")
}

func TestBadInputGetsOneLine(t *testing.T) {
	addr, _ := serveTCP(t)
	for name, tt := range map[string]struct {
		args   []string
		stdin  string
		code   int
		stderr string
	}{
		"a long line": {
			[]string{"-addr", addr}, strings.Repeat("x", bidi.MaxText+1) + "\n", 1,
			"client: chat: InvalidArgument: text: must have 1 to 4096 bytes, has 4097\n",
		},
		"a line without end": {
			[]string{"-addr", addr, "-name", "bob"}, strings.Repeat("x", 1<<20), 1,
			"client: stdin: a line has 65536 bytes or more\n",
		},
		"a bad name": {
			[]string{"-addr", addr, "-name", "a b"}, "", 1,
			"client: chat: InvalidArgument: name: must not contain ' '\n",
		},
		"the partner's name": {
			[]string{"-name", partner}, "", 1,
			`client: chat: AlreadyExists: name: "gopher" is in use in room "go"` + "\n",
		},
		"an argument": {
			[]string{"hello"}, "", 2, `client: unexpected argument "hello" (see -help)` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, tt.args...)
			_, _ = io.WriteString(p.stdin, tt.stdin) // it may have ended already
			for p.stdout.Scan() {
			}
			p.exits(tt.code, tt.stderr)
		})
	}
}

func TestCtrlCHangsUp(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("os.Interrupt cannot be sent there")
	}
	addr, _ := serveTCP(t)
	bob := start(t, "-addr", addr, "-name", "bob")
	bob.prints("* bob joined")
	ann := start(t, "-addr", addr)
	ann.prints("* ann joined")
	bob.prints("* ann joined")
	require.NoError(t, ann.cmd.Process.Signal(os.Interrupt))
	ann.exits(130, "client: interrupted\n")
	bob.prints("* ann was disconnected")
	require.NoError(t, bob.stdin.Close())
	bob.exits(0, "")
}
