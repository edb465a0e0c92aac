package bidi_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	bidi "example.com/streams/04-bidi"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

// TestCommands builds the commands once. Its subtests share one server.
func TestCommands(t *testing.T) {
	c := commands{dir: testproc.Build(t, "./cmd/server", "./cmd/client")}
	server := c.start(t, "server", "-addr", "localhost:0")
	addr, ok := strings.CutPrefix(server.Line(server.Stderr), "server: listening on ")
	require.True(t, ok)
	c.addr = "-addr=" + addr

	t.Run("killed client is disconnected", c.testKill)
	t.Run("pipe waits for its echo", c.testPipe)
	t.Run("client escapes what servers refuse", c.testEscape)
	t.Run("partner answers every line", c.testPartner)
	t.Run("bad input gets one line", c.testBadInput)
	t.Run("Ctrl-C cancels the call", c.testInterrupt)
	t.Run("shutdown of the server is an error", func(t *testing.T) { c.testShutdown(t, server) })
}

// commands are the built commands, and the flag of a client that dials the
// server.
type commands struct{ dir, addr string }

func (c commands) start(t *testing.T, name string, args ...string) process {
	t.Helper()
	return process{testproc.Start(t, filepath.Join(c.dir, name), args...), t}
}

// A process is a running command.
type process struct {
	*testproc.Process
	t *testing.T
}

func (p process) types(text string) {
	p.t.Helper()
	_, err := io.WriteString(p.Stdin, text)
	require.NoError(p.t, err)
}

func (p process) prints(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		require.Equal(p.t, want, p.Line(p.Stdout))
	}
}

// exits closes stdin and waits for the end. The process prints no more than
// stdout and stderr.
func (p process) exits(status int, stdout, stderr string) {
	p.t.Helper()
	got, out, errs := p.Wait()
	require.Equal(p.t, stderr, errs)
	require.Equal(p.t, stdout, out)
	require.Equal(p.t, status, got)
}

func (c commands) testKill(t *testing.T) {
	ann := c.start(t, "client", c.addr, "-room", "test")
	ann.prints("* ann joined")
	bob := c.start(t, "client", c.addr, "-room", "test", "-name", "bob")
	bob.prints("* bob joined")
	ann.prints("* bob joined")

	ann.types("hi\n")
	ann.prints("ann: hi")
	bob.prints("ann: hi")
	bob.types("hello\n")
	ann.prints("bob: hello")

	bob.Signal(os.Kill)
	ann.prints("* bob was disconnected")
	ann.exits(0, "", "")
}

func (c commands) testPipe(t *testing.T) {
	ann := c.start(t, "client", c.addr)
	ann.types("hi\n")
	status, stdout, stderr := ann.Wait()
	require.Zero(t, status, stderr)
	golden.File(t, "testdata/pipe.txt", stdout)
}

func (c commands) testEscape(t *testing.T) {
	bob := c.start(t, "client", c.addr, "-name", "bob")
	bob.prints("* bob joined")
	ann := c.start(t, "client", c.addr)
	ann.types("hi\r\n\n\tbell \a, no UTF-8 \xff\nbye")
	said := "* ann joined\nann: hi\n" + `ann: \tbell \a, no UTF-8 \ufffd` + "\nann: bye\n"
	ann.exits(0, said, "")
	bob.prints("* ann joined")
	bob.exits(0, strings.TrimPrefix(said, "* ann joined\n")+"* ann left\n", "")
}

func (c commands) testPartner(t *testing.T) {
	c.start(t, "client").exits(0, ""+
		"* ann joined\n"+
		"gopher: Hello. Your lines go up this stream, and mine come down.\n", "")
	ann := c.start(t, "client")
	ann.types("one\ntwo\nthree\n")
	ann.exits(0, ""+
		"* ann joined\n"+
		"gopher: Hello. Your lines go up this stream, and mine come down.\n"+
		"ann: one\n"+
		"gopher: Neither of us waits for the other: write when you like.\n"+
		"ann: two\n"+
		"gopher: Ctrl-D says goodbye, and you still get what was said.\n"+
		"ann: three\n"+
		"gopher: That was line 3.\n", "")
}

func (c commands) testBadInput(t *testing.T) {
	for name, tt := range map[string]struct {
		command string
		args    []string
		stdin   string
		status  int
		stderr  string
	}{
		"long line": {
			"client", []string{c.addr}, strings.Repeat("x", bidi.MaxText+1) + "\n", 1,
			"client: chat: InvalidArgument: text: must have 1 to 4096 bytes, got 4097\n",
		},
		"line without end": {
			"client", []string{c.addr, "-name", "bob"}, strings.Repeat("x", 1<<20), 1,
			"client: stdin: a line must have fewer than 65536 bytes\n",
		},
		"bad name": {
			"client", []string{c.addr, "-name", "a b"}, "", 1,
			"client: chat: InvalidArgument: name: must not contain ' '\n",
		},
		"name of the partner": {
			"client", []string{"-name", "gopher"}, "", 1,
			`client: chat: AlreadyExists: name: must be unique in room "go", got "gopher"` + "\n",
		},
		"bad room without a server": {
			"client", []string{"-room", "a b"}, "", 1, "client: InvalidArgument: room: must not contain ' '\n",
		},
		"argument": {
			"client", []string{"hello"}, "", 2, `client: unexpected argument "hello" (see -help)` + "\n",
		},
		"no queue": {
			"server", []string{"-queue", "0"}, "", 2, "server: -queue: must be 1 to 65536, got 0 (see -help)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.start(t, tt.command, tt.args...)
			_, _ = io.WriteString(p.Stdin, tt.stdin) // the process may have ended already
			status, _, stderr := p.Wait()
			require.Equal(t, tt.stderr, stderr)
			require.Equal(t, tt.status, status)
		})
	}
}

func (c commands) testInterrupt(t *testing.T) {
	bob := c.start(t, "client", c.addr, "-name", "bob")
	bob.prints("* bob joined")
	ann := c.start(t, "client", c.addr)
	ann.prints("* ann joined")
	bob.prints("* ann joined")
	ann.Signal(os.Interrupt)
	require.Equal(t, "client: interrupted", ann.Line(ann.Stderr))
	ann.exits(130, "", "")
	bob.prints("* ann was disconnected")
	bob.exits(0, "", "")
}

func (c commands) testShutdown(t *testing.T, server process) {
	ann := c.start(t, "client", c.addr)
	ann.prints("* ann joined")
	server.Signal(os.Interrupt)
	ann.prints("* the server is shutting down")
	require.Equal(t, "client: chat: Unavailable: shutting down; join again later", ann.Line(ann.Stderr))
	ann.exits(1, "", "")
	server.exits(0, "", "")
}
