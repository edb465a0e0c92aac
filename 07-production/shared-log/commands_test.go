package sharedlog_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// tables are what the commands print, but for the numbers.
var tables = map[string]*regexp.Regexp{
	"demo.txt": regexp.MustCompile(`^ +streams on +entries of
 +a +b +c +ann +bob +cid
( +\d+\.\d s (first entry|[abc] is (killed|back)|the end) +(\d+ +){5}\d+
)+each follower received every line once, and in order
$`),
	"kill.txt": regexp.MustCompile(`^go\d\S+, \S+, \d+ CPUs; grpc-go \S+, NATS \S+; \d{4}-\d\d-\d\d
a line each 10ms; kill -9, and a new start 1s later

 +silence of a follower
killed +times +median +longest
((a server|the node that leads the log|another node|all three nodes at once) +\d+ +\d+\.\d\d s +\d+\.\d\d s
)+
\d+ lines, \d+ deliveries: 0 lost, 0 doubled, 0 out of order
$`),
}

func TestCommands(t *testing.T) {
	t.Parallel() // with the other test of processes
	bin := testproc.Build(t, "./cmd/...")
	command := func(name string) string { return filepath.Join(bin, name) }

	t.Run("the recorded results are of these commands", func(t *testing.T) {
		for file, pattern := range tables {
			recorded, err := os.ReadFile(filepath.Join("testdata", file))
			require.NoError(t, err)
			require.Regexp(t, pattern, string(recorded))
		}
	})
	t.Run("demo loses nothing", func(t *testing.T) {
		exit, stdout, stderr := testproc.Start(t, command("demo"), "-n=2").Wait()
		require.Zero(t, exit, stderr)
		require.Regexp(t, tables["demo.txt"], stdout)
	})
	t.Run("demo ends at a signal", func(t *testing.T) {
		p := testproc.Start(t, command("demo"))
		p.Line(p.Stdout)
		p.Signal(os.Interrupt)
		exit, _, stderr := p.Wait()
		require.Equal(t, "demo: interrupted\n", stderr)
		require.Equal(t, 130, exit)
	})
	t.Run("server has an engine of its own", func(t *testing.T) {
		p, _ := testproc.StartServer(t, command("server"))
		p.Signal(os.Interrupt)
		exit, stdout, _ := p.Wait()
		require.Zero(t, exit)
		require.Empty(t, stdout)
	})
	t.Run("server without an engine does not listen", func(t *testing.T) {
		p := testproc.Start(t, command("server"), "-addr=localhost:0", "-nats=nats://127.0.0.1:9")
		line := p.Line(p.Stderr) // StartServer would find its address here
		require.Equal(t, "server: not serving: no connection to the engine", line)
	})
	t.Run("chapter 02's client follows a server", func(t *testing.T) {
		_, addr := testproc.StartServer(t, command("server"), "-dir="+t.TempDir())
		client := filepath.Join(testproc.Build(t, "example.com/streams/02-server-stream/cmd/client"), "client")
		exit, stdout, stderr := testproc.Start(t, client, "-addr="+addr, "-n=2").Wait()
		require.Zero(t, exit, stderr)
		require.Equal(t, "line 1\nline 2\n", stdout)
		position := regexp.MustCompile(`[0-9a-f]+:2`).FindString(stderr)
		exit, stdout, stderr = testproc.Start(t, client, "-addr="+addr, "-n=1", "-after="+position).Wait()
		require.Zero(t, exit, stderr)
		require.Equal(t, "line 3\n", stdout)
	})
	t.Run("node, append and demo", func(t *testing.T) {
		node := testproc.Start(t, command("node"), "-addr=localhost:0", "-dir="+t.TempDir())
		url := regexp.MustCompile(`nats://\S+`).FindString(node.Line(node.Stderr))
		testproc.Start(t, command("append"), "-nats="+url, "-n=3", "-every=1ms").
			RequireExit(0, "", "append: 3 lines are in the log\n")
		exit, stdout, stderr := testproc.Start(t, command("demo"), "-n=0", "-nats="+url).Wait()
		require.Zero(t, exit, stderr)
		require.Regexp(t, tables["demo.txt"], stdout)
		node.Signal(os.Interrupt)
		node.RequireExit(130, "", "node: interrupted\n")
	})
	t.Run("wrong usage", func(t *testing.T) {
		for _, tt := range []struct {
			command, arg, message string
		}{
			{"demo", "-nodes=2", "demo: -nodes: must be 1 or 3, got 2"},
			{"demo", "-n=-1", "demo: -n: must be at least 0, got -1"},
			{"demo", "x", `demo: unexpected argument "x"`},
			{"append", "-n=-1", "append: -n: must be at least 0, got -1"},
			{"append", "-every=0", "append: -every: must be greater than 0, got 0s"},
			{"append", "-nodes=2", "append: -nodes: must be 1, 3 or 5, got 2"},
			{"server", "-nodes=3", "server: -nodes: must be 1 without -nats, got 3"},
			{"server", "-nodes=2 -nats=nats://localhost:1", "server: -nodes: must be 1, 3 or 5, got 2"},
			{"server", "-dir=x -nats=nats://localhost:1", `server: -dir: must be empty with -nats, got "x"`},
			{"server", "-retention=-1", "server: -retention: must be from 1 to 1000000, got -1"},
			{"server", "x", `server: unexpected argument "x"`},
			{"node", "-name=n1", "node: -dir: must not be empty"},
			{"node", "-dir=x -peer=localhost:1", "node: -peer and -peers: must be given both, or none"},
			{"kill", "-servers=-1", "kill: -servers, -nodes and -all: must be at least 0, got -1, 20 and 3"},
			{"kill", "-every=0", "kill: -every: must be greater than 0, got 0s"},
			{"kill", "-pause=-1s", "kill: -pause: must be at least 0, got -1s"},
		} {
			testproc.Start(t, command(tt.command), strings.Fields(tt.arg)...).
				RequireExit(2, "", tt.message+" (see -help)\n")
		}
	})
}
