// Package ownmodule_test does what the page docs/your-own-module.md tells its
// reader to do.
package ownmodule_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	// So that go test downloads what the page's module requires.
	_ "example.com/streams/internal/memserver/memservertest"
)

const page = "../your-own-module.md"

// A block is a fence of the page that the reader copies.
type block struct{ kind, name, body string }

var fence = regexp.MustCompile("(?ms)^<!-- code: none \\((file|run|server|client): ([^)]*)\\) -->\n```\\w+\n(.*?)^```$")

func blocks(t *testing.T) (all []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, m := range fence.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\r\n", "\n"), -1) {
		require.True(t, m[1] != "file" || strings.Contains(string(text), "**"+m[2]+"**\n\n"+m[0]),
			"the name of %s must stand above its fence", m[2])
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// A module is the folder in which a reader works. Without SLOW and ONLINE,
// the test does without what needs a network or the pinned tools: it takes
// the versions of the modules from the repository, and the generated code
// from testdata. With SLOW, it generates the code with the pinned tools.
// With ONLINE, it runs every command of the page as it is.
type module struct {
	t    *testing.T
	dir  string
	repo string
	env  []string
}

func newModule(t *testing.T) *module {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the page's commands need a POSIX shell")
	}
	repo, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(repo, filepath.Join(dir, "streams")))
	m := &module{t: t, dir: dir, repo: repo, env: append(os.Environ(), "UPDATE=", "GOFLAGS=-mod=mod -buildvcs=false")}
	if os.Getenv("ONLINE") == "" {
		m.env = append(m.env, "GOPROXY=off")
	}
	return m
}

// do does what a block says, up to the programs.
func (m *module) do(b block) {
	m.t.Helper()
	switch b.kind {
	case "file":
		m.write(b.name, b.body)
	case "run":
		for command := range strings.Lines(b.body) {
			m.command(strings.TrimSpace(command))
		}
	}
}

func (m *module) command(command string) {
	m.t.Helper()
	slow, online := os.Getenv("SLOW") != "", os.Getenv("ONLINE") != ""
	folder, isCD := strings.CutPrefix(command, "cd ")
	buf, isBuf := strings.CutPrefix(command, "go run github.com/bufbuild/buf/cmd/buf@v1.72.0 ")
	switch {
	case isCD:
		m.dir = filepath.Join(m.dir, folder)
	case online:
		m.run(command)
	case strings.HasPrefix(command, "go get google"):
		m.requireAsRepository()
	case isBuf && slow:
		require.Empty(m.t, m.run(m.buf(buf)), "what buf prints")
	case isBuf && buf == "generate":
		require.NoError(m.t, os.CopyFS(m.dir, os.DirFS("testdata")))
	case isBuf, command == "go mod tidy", strings.HasPrefix(command, "go get -tool") && !slow:
	default:
		m.run(command)
	}
}

// buf returns the command that runs the pinned buf.
func (m *module) buf(args string) string {
	return "go tool -modfile=" + m.repo + "/internal/tools/go.mod buf " + args
}

// requireAsRepository requires what the repository requires. go get would
// choose other versions of indirect dependencies, which the module cache of
// a reader of this repository need not have.
func (m *module) requireAsRepository() {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.repo, "go.mod"))
	require.NoError(m.t, err)
	_, requires, _ := strings.Cut(string(text), "\nrequire ")
	requires = regexp.MustCompile(`(?m)^\t(github.com/yuin/goldmark|golang.org/x/sync) .*\n`).ReplaceAllString(requires, "") // the page needs neither
	own, err := os.ReadFile(filepath.Join(m.dir, "go.mod"))
	require.NoError(m.t, err)
	m.write("go.mod", string(own)+"\nrequire "+requires)
	var sums bytes.Buffer
	for _, file := range []string{"go.sum", "internal/tools/go.sum"} {
		sum, err := os.ReadFile(filepath.Join(m.repo, file))
		require.NoError(m.t, err)
		sums.Write(sum)
	}
	m.write("go.sum", sums.String())
}

func (m *module) write(name, text string) {
	m.t.Helper()
	name = filepath.Join(m.dir, filepath.FromSlash(name))
	require.NoError(m.t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(m.t, os.WriteFile(name, []byte(text), 0o600))
}

// run runs a command, which must succeed, and returns what it prints.
func (m *module) run(command string) string {
	m.t.Helper()
	out, err := m.try(command)
	require.NoError(m.t, err, "%s printed:\n%s", command, out)
	return out
}

func (m *module) try(command string, env ...string) (string, error) {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = m.dir
	cmd.Env = append(m.env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
