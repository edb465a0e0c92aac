package pitfalls

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

func catalog(t *testing.T) []Pitfall {
	t.Helper()
	all, err := Catalog()
	require.NoError(t, err)
	return all
}

func TestCatalog_HasEveryFolder(t *testing.T) {
	found, err := filepath.Glob("*/broken.go")
	require.NoError(t, err)
	var folders, names []string
	for _, path := range found {
		folders = append(folders, filepath.Dir(path))
	}
	for _, p := range catalog(t) {
		names = append(names, p.Name)
	}
	require.ElementsMatch(t, folders, names)
}

func TestCatalog_IsInTheREADME(t *testing.T) {
	all := catalog(t)
	var tables strings.Builder
	fmt.Fprintf(&tables, "%d pitfalls, by what you see; the command has a demo of those that are marked.\n", len(all))
	group := ""
	for _, p := range all {
		if p.Group != group {
			group = p.Group
			fmt.Fprintf(&tables, "\n## %s\n\n| you see | pitfall | fix |\n|---|---|---|\n", group)
		}
		mark := ""
		if _, ok := Demos[p.Name]; ok {
			mark = ", demo"
		}
		fmt.Fprintf(&tables, "| %s | [%s](%[2]s/README.md)%s | %s |\n", p.See, p.Name, mark, p.Fix)
	}
	golden.Section(t, "README.md", "catalog", tables.String())
}

func TestVet_AcceptsTheBrokenCode(t *testing.T) {
	out, err := exec.Command("go", "vet", "./...").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	heading = regexp.MustCompile(`(?m)^##* .*$`)
)

func TestPages_HaveTheSameHeadings(t *testing.T) {
	for _, p := range catalog(t) {
		page, err := fs.ReadFile(pages, p.Name+"/README.md")
		require.NoError(t, err)
		prose := fence.ReplaceAllString(strings.ReplaceAll(string(page), "\r\n", "\n"), "")
		require.Equal(t, []string{
			"# " + p.Name, "## The mistake", "## Why it happens", "## Why nothing warned you",
			"## The fix", "## See it", "## Read more",
		}, heading.FindAllString(prose, -1), "headings of %s/README.md", p.Name)
	}
}

// Every pitfall has a survival list, and its page leads there.
func TestPages_LinkTheSurvivalList(t *testing.T) {
	for _, p := range catalog(t) {
		for _, m := range testDecl.FindAllStringSubmatch(read(t, p.Name, "survival_test.go"), -1) {
			if strings.HasPrefix(m[1], "TestSurvival_") {
				require.Contains(t, read(t, p.Name, "README.md"),
					fmt.Sprintf("[`%s`](survival_test.go)", m[1]), p.Name)
			}
		}
		require.Contains(t, read(t, p.Name, "README.md"), "*What it survives:*", p.Name)
	}
}

var (
	packageComment = regexp.MustCompile(`^// Package \w+ .*; see README\.md\.\npackage `)
	testDecl       = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T`)
	testName       = regexp.MustCompile(`^Test[A-Z][A-Za-z]*_[A-Z]\w*$`)
)

func TestFolders_FollowTheRules(t *testing.T) {
	for _, p := range catalog(t) {
		t.Run(p.Name, func(t *testing.T) {
			for file, limit := range map[string]int{"broken.go": 70, "fixed.go": 70, "demo.go": 40} {
				if _, ok := Demos[p.Name]; ok || file != "demo.go" {
					require.LessOrEqual(t, strings.Count(read(t, p.Name, file), "\n"), limit, "lines of %s", file)
				}
			}
			require.True(t, packageComment.MatchString(read(t, p.Name, "broken.go")),
				"broken.go: the package comment must be one line that ends in %q", "; see README.md.")
			for _, m := range testDecl.FindAllStringSubmatch(read(t, p.Name, "pitfall_test.go"), -1) {
				require.True(t, testName.MatchString(m[1]), "%s: must have the form Test<Subject>_<Sentence>", m[1])
				require.LessOrEqual(t, len(m[1]), 50, "characters of %s", m[1])
			}
		})
	}
}

func read(t *testing.T, folder, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, file))
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestFind_TakesAnyPartOfNameSymptomOrErrors(t *testing.T) {
	all := []Pitfall{
		{Name: "send-eof", See: "the client reports `EOF`", Errors: "send 812: EOF\n"},
		{Name: "send-eof-twice", See: "nothing works", Errors: "code = Internal\n\ndesc = broken\n", Fix: "call `Recv`"},
	}
	for words, want := range map[string][]string{
		"send-eof":                      {"send-eof"}, // the whole name of one of them
		"send eof":                      {"send-eof"},
		"send":                          {"send-eof", "send-eof-twice"},
		"Reports EOF":                   {"send-eof"},
		"send 3: EOF":                   {"send-eof"},
		"nothing  works":                {"send-eof-twice"},
		"CODE = INTERNAL":               {"send-eof-twice"},
		"2026/01/02 x: code = Internal": {"send-eof-twice"},
		"Recv":                          nil, // only in the fix
	} {
		var got []string
		for _, p := range Find(all, words) {
			got = append(got, p.Name)
		}
		require.Equal(t, want, got, "Find(%q)", words)
	}
}

func TestFindErrors_TakesWhatAUserPastes(t *testing.T) {
	for words, want := range map[string]string{
		"keepalive ping failed": "rpc error: code = Unavailable desc = keepalive ping failed to receive ACK within timeout",
		`2026/01/02 rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.7:50051: connect: connection refused"`: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ...: connect: connection refused"`,
		"rpc error: code = Unimplemented desc = unknown service a.v1.B": "rpc error: code = Unimplemented desc = unknown service ...",
		"newClientStreamWithParams.func4+0x8d":                          "google.golang.org/grpc.newClientStreamWithParams.func4()", // of a profile
	} {
		found := FindErrors(words)
		require.Len(t, found, 1, words)
		require.Equal(t, want, found[0].Shows)
		require.NotEmpty(t, found[0].Who)
		require.NotContains(t, found[0].Help, "](", "links become paths from the root")
	}
	require.Empty(t, FindErrors("nonsense"))
	require.Len(t, FindErrors("rpc error: code = Internal desc ="), len(FindErrors("code = Internal desc =")))
	require.Empty(t, FindErrors("rpc error: code = Internal desc = a text of your own"),
		"a status without a message is no part of one with a message")
}

func TestFindErrors_ShowsTheExactTextFirst(t *testing.T) {
	const want = "rpc error: code = Unavailable desc = error reading from server: EOF"
	for _, words := range []string{"error reading from server: EOF", want, "follow: " + want} {
		found := FindErrors(words)
		require.Greater(t, len(found), 1, words)
		require.Equal(t, want, found[0].Shows, "the first for %q", words)
	}
}

func TestNearest_AnswersWordsThatNothingMatches(t *testing.T) {
	all := catalog(t)
	for question, want := range map[string]string{
		"our client gets Unavailable every 30 minutes": `debug data: "max_age"`,
		"MaxConnectionAge":        "pinned-backend",
		"unknown service foo.Bar": "desc = unknown service ...",
		"closesend missing":       "missing-closesend",
	} {
		require.Empty(t, Find(all, question))
		require.Empty(t, FindErrors(question))
		var texts strings.Builder
		nearest := Nearest(all, question)
		require.LessOrEqual(t, len(nearest), 5)
		for _, n := range nearest[:min(2, len(nearest))] {
			texts.WriteString(n.Text + "\n")
		}
		require.Contains(t, texts.String(), want, "the first two for %q", question)
	}
	require.Empty(t, Nearest(all, "xyzzy"))
}
