package bidi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/testproc"
)

func TestCommands(t *testing.T) {
	dir := testproc.Build(t, "./cmd/...")
	client, server := filepath.Join(dir, "client"), filepath.Join(dir, "server")
	_, addr := testproc.StartServer(t, server)

	t.Run("partner of the in-process server answers each line", func(t *testing.T) {
		ann := testproc.Start(t, client)
		ann.Type("one\ntwo\nthree\n")
		ann.RequireExit(0, ""+
			"* ann joined\n"+
			"gopher: Hello. Your lines go up this stream, and mine come down.\n"+
			"ann: one\n"+
			"gopher: Neither of us waits for the other: write when you like.\n"+
			"ann: two\n"+
			"gopher: Ctrl-D says goodbye, and you still get what was said.\n"+
			"ann: three\n"+
			"gopher: That was line 3.\n", "")
	})
	t.Run("client without input says goodbye", func(t *testing.T) {
		testproc.Start(t, client).RequireExit(0, ""+
			"* ann joined\n"+
			"gopher: Hello. Your lines go up this stream, and mine come down.\n", "")
	})
	t.Run("client waits for its echo", func(t *testing.T) {
		ann := testproc.Start(t, client, "-addr", addr)
		ann.Type("hi\n")
		status, stdout, stderr := ann.Wait()
		require.Zero(t, status, stderr)
		golden.File(t, "testdata/pipe.txt", stdout)
	})
	t.Run("client escapes what servers refuse", func(t *testing.T) {
		ann := testproc.Start(t, client, "-addr", addr)
		ann.Type("hi\r\n\n\tbell \a, no UTF-8 \xff\nbye")
		ann.RequireExit(0, "* ann joined\nann: hi\n"+`ann: \tbell \a, no UTF-8 \ufffd`+"\nann: bye\n", "")
	})
	t.Run("client prints the status", func(t *testing.T) {
		testproc.Start(t, client, "-addr", addr, "-name=a b").
			RequireExit(1, "", "client: chat: InvalidArgument: name: must not contain ' '\n")
	})
	t.Run("killed client is disconnected", func(t *testing.T) {
		ann := testproc.Start(t, client, "-addr", addr)
		requireLines(t, ann, "* ann joined")
		bob := testproc.Start(t, client, "-addr", addr, "-name=bob")
		requireLines(t, bob, "* bob joined")
		ann.Type("hi\n")
		requireLines(t, bob, "ann: hi")
		bob.Type("hello\n")
		requireLines(t, ann, "* bob joined", "ann: hi", "bob: hello")

		bob.Signal(os.Kill)
		requireLines(t, ann, "* bob was disconnected")
		ann.RequireExit(0, "", "")
	})
	t.Run("Ctrl-C cancels the call", func(t *testing.T) {
		bob := testproc.Start(t, client, "-addr", addr, "-room=test", "-name=bob")
		requireLines(t, bob, "* bob joined")
		ann := testproc.Start(t, client, "-addr", addr, "-room=test")
		requireLines(t, ann, "* ann joined")
		ann.Signal(os.Interrupt)
		require.Equal(t, "client: interrupted", ann.Line(ann.Stderr))
		ann.RequireExit(130, "", "")
		requireLines(t, bob, "* ann joined", "* ann was disconnected")
		bob.RequireExit(0, "", "")
	})
	t.Run("Ctrl-C drains the server", func(t *testing.T) {
		p, addr := testproc.StartServer(t, server)
		ann := testproc.Start(t, client, "-addr", addr)
		requireLines(t, ann, "* ann joined")
		p.Signal(os.Interrupt)
		requireLines(t, ann, "* the server is shutting down")
		require.Equal(t, "client: chat: Unavailable: shutting down; join again later", ann.Line(ann.Stderr))
		ann.RequireExit(1, "", "")
		p.RequireExit(0, "", "")
	})
	t.Run("client keeps long lines to itself and goes on", func(t *testing.T) {
		longest := strings.Repeat("x", 4096)
		ann := testproc.Start(t, client, "-addr", addr)
		ann.Type(longest + "\r\n" + longest + "x\n" + strings.Repeat("\a", 4096) + "\nstill here\n" + longest + longest)
		ann.RequireExit(1, "* ann joined\nann: "+longest+"\nann: still here\n", ""+
			"client: line 2: must have at most 4096 bytes; it is not sent\n"+
			"client: line 3: must have at most 4096 bytes; it is not sent\n"+
			"client: line 5: must have at most 4096 bytes; it is not sent\n"+
			"client: stdin: lines that were too long and not sent: 3\n")
	})
	t.Run("members may be 256 KiB behind by default", func(t *testing.T) {
		_, _, help := testproc.Start(t, server, "-help").Wait()
		require.Contains(t, help, "more than this many KiB of texts behind (default 256)")
	})
	t.Run("wrong usage", func(t *testing.T) {
		testproc.Start(t, server, "-queue=0").
			RequireExit(2, "", "server: -queue: must be 4 to 65536, got 0 (see -help)\n")
	})
}

// requireLines requires that the process prints the lines next.
func requireLines(t *testing.T, p *testproc.Process, lines ...string) {
	t.Helper()
	for _, want := range lines {
		require.Equal(t, want, p.Line(p.Stdout))
	}
}
