package main

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command/commandtest"
	"example.com/streams/internal/serve"
)

func TestMain(m *testing.M) {
	os.Exit(commandtest.Run(m, map[string]func() int{
		"client": func() int { return client.Main(embed, run) },
	}))
}

// A process is a running client.
type process struct {
	*commandtest.Process
	t     *testing.T
	stdin *os.File
}

// start runs the client with its stdin open.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()                     // the process has its own
	t.Cleanup(func() { _ = w.Close() }) // often closed before
	return &process{commandtest.StartWithInput(t, r, "client", args...), t, w}
}

func (p *process) types(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.stdin, text)
	require.NoError(p.t, err)
}

func (p *process) prints(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		require.Equal(p.t, want, p.Line(p.Stdout))
	}
}

// exits waits for the end, after which nothing more was printed.
func (p *process) exits(code int, stderr string) {
	p.t.Helper()
	exit, out, errs := p.End()
	require.Equal(p.t, code, exit, "stderr: %s", errs)
	require.Equal(p.t, stderr, errs)
	require.Empty(p.t, out)
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

	bob.Signal(os.Kill)
	ann.prints("* bob was disconnected")

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
			exit, out, errs := ann.End()
			require.Zero(t, exit, "stderr: %s", errs)
			said, answers := []string(nil), 0
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, partner+": ") {
					answers++
				} else {
					said = append(said, strings.TrimSpace(line))
				}
			}
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
			exit, _, errs := p.End()
			require.Equal(t, tt.code, exit)
			require.Equal(t, tt.stderr, errs)
		})
	}
}

func TestCtrlCHangsUp(t *testing.T) {
	addr, _ := serveTCP(t)
	bob := start(t, "-addr", addr, "-name", "bob")
	bob.prints("* bob joined")
	ann := start(t, "-addr", addr)
	ann.prints("* ann joined")
	bob.prints("* ann joined")
	ann.Signal(os.Interrupt)
	ann.exits(130, "client: interrupted\n")
	bob.prints("* ann was disconnected")
	require.NoError(t, bob.stdin.Close())
	bob.exits(0, "")
}
