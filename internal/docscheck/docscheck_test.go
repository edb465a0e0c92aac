package docscheck_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/docscheck"
)

// files are a small repository. Most tests add 01-demo/README.md.
var files = map[string]string{
	"go.mod": "module demo\n\ngo 1.26.0\n\nrequire google.golang.org/grpc v1.85.0\n",
	"01-demo/log.go": `package demo

//go:embed log.txt
var text string

const (
	Min = 1
	Max = 10
)

// A Log is a list of entries.
type Log[T any] struct {
	entries []T
}

// Append adds an entry.
func (l *Log[T]) Append(entry T) {
	l.entries = append(l.entries, entry)
}
`,
	"01-demo/log_test.go": `package demo

import "fmt"

func TestLog_KeepsOrder() {}

func BenchmarkLog() {}

func ExampleLog() {
	fmt.Println("one")
	// Output:
	// one
}

func ExampleLog_silent() {}
`,
	"01-demo/demo.proto": `service Demo {
  // Stop stops.
  rpc Stop(StopRequest) returns (Stopped) {
    option deprecated = true;
  }
  rpc Watch(WatchRequest)
      returns (stream Tick);
}

message Tick {
  int64 number = 1;
}
`,
	"01-demo/conf.yaml":          "version: 2\nlint:\n  use: all\n  except: none\n",
	"01-demo/testdata/trace.txt": "  0s HEADERS\n1.5s DATA\n",
	"01-demo/testdata/page.md":   "[a](gone.go)\n",
	".hidden/page.md":            "[a](gone.go)\n",
	"02-other/other_test.go":     "package other\n\nfunc TestOther() {}\n",
	"03-pair/broken.go":          "package pair\n\nvar x = 1\n",
	"03-pair/fixed.go":           "package pair\n\nvar x = 2\n",
	"internal/serve/run.go":      "package serve\n\nfunc Run() {}\n",
	"docs/guide.md":              "# A `code` & more_words!\n\n## Twice\n\n## Twice\n\n## 1. *Größe* — [why](guide.md)?\n\n`TestOther`\n",
}

const demoPage = "01-demo/README.md"

// write returns a folder with files and more of them.
func write(t *testing.T, more map[string]string) string {
	t.Helper()
	root := t.TempDir()
	all := maps.Clone(files)
	maps.Copy(all, more)
	for name, text := range all {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return root
}

// check returns the problems below root, one a line.
func check(t *testing.T, root string, o docscheck.Options) string {
	t.Helper()
	problems, err := docscheck.Check(root, o)
	require.NoError(t, err)
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(text)
}

// mistakes are pages with one problem, and what its message begins with
// after the name of the page.
var mistakes = map[string]struct{ page, problem string }{
	"underlined heading":   {"Title\n=====\n", `:1: an underlined heading; write ## before the text`},
	"reference link":       {"[a]\n\n[a]: log.go\n", `:3: a reference link; write [text](path) in the sentence`},
	"undefined reference":  {"See [a][b].\n", `:1: a link without a target or with a blank in it; write [text](path)`},
	"blank in a link":      {"Some\n[`a`](log .go)\n", `:2: a link without a target or with a blank in it; write [text](path)`},
	"autolink":             {"<https://go.dev>\n", `:1: a link without a text; write [text](https://go.dev)`},
	"HTML in a line":       {"Some\n<a id=\"x\">\n", `:2: <a id="x"> within a line; only <br> may stand there`},
	"HTML block":           {"\n<table>\n", `:2: cannot read this HTML; write a directive, <details>`},
	"text below a tag":     {"<details><summary>A</summary>\n`x`\n", `:2: cannot read this HTML; write a directive, <details>`},
	"unknown directive":    {"<!-- codes: x -->\n", `:1: cannot read this HTML; write a directive, <details>`},
	"comment in a line":    {"Some <!-- code: log.go -->\n", `:1: <!-- code: log.go --> within a line; only <br> may stand there`},
	"indented code":        {"Some:\n\n    code\n", ":3: indented code; write a fence: ```text"},
	"fence of tildes":      {"~~~text\n~~~\n", ":1: a fence must begin with ``` in the first column"},
	"fence in a list":      {"- Some\n  ```text\n  ```\n", ":2: a fence must begin with ``` in the first column"},
	"fence in a quote":     {"> ```text\n> ```\n", ":1: a fence must begin with ``` in the first column"},
	"fence without a kind": {"```\n```\n", ":1: \"\" is no kind of fence; write ``` and one of text, go, proto, sh, console,"},
	"fence without an end": {"````text\n```\n", ":1: the fence has no end; write ```` on a line of its own"},
	"section without end":  {"<!-- generated: x -->\n", `:1: the section has no end; write <!-- end --> below it`},

	"no source":           {"```go\nx\n```\n", `:1: this go fence has no source; write <!-- code: path Name --> above it`},
	"no fence":            {"<!-- code: go.mod -->\n\n```text\n```\n", ":1: no fence follows; write an empty one on the next lines"},
	"two directives":      {"<!-- code: none (a) -->\n<!-- code: none (b) -->\n```go\n```\n", ":1: no fence follows; write an empty one on the next lines"},
	"no reason":           {"<!-- code: none () -->\n```go\n```\n", `:2: the reason is missing; write <!-- code: none (why no file holds it) -->`},
	"no such file":        {"<!-- code: log.go Log -->\n```go\n```\n", `:2: code: log.go Log: there is no file log.go; write its path from the root`},
	"no such declaration": {"<!-- code: 01-demo/log.go Lag -->\n```go\nx\n```\n", `:2: code: 01-demo/log.go Lag: the file does not declare Lag; it declares Log, Log.Append, Max, Min, text`},
	"no such line":        {"<!-- code: 01-demo/conf.yaml /lint/ /version/ -->\n```text\n```\n", `:2: code: 01-demo/conf.yaml /lint/ /version/: no line there matches /version/`},
	"no pattern":          {"<!-- code: 01-demo/conf.yaml /(/ /x/ -->\n```text\n```\n", ":2: code: 01-demo/conf.yaml /(/ /x/: error parsing regexp"},
	"one pattern":         {"<!-- code: 01-demo/conf.yaml /lint/ -->\n```text\n```\n", ":2: code: 01-demo/conf.yaml /lint/: write a path, then names, then /from/ /to/"},
	"changed code":        {"<!-- code: 01-demo/log.go text -->\n```go\n//go:embed log.txt\nvar text int\n```\n", ":4: the fence differs from its source; run UPDATE=1 go test ./docs\npage:\n\tvar text int\nsource:\n\tvar text string"},
	"no such example":     {"<!-- output: 01-demo ExampleLag -->\n```text\n```\n", `:2: output: 01-demo ExampleLag: write a folder and the name of an example in it that has an // Output: comment`},
	"unchecked example":   {"<!-- output: 01-demo ExampleLog_silent -->\n```text\n```\n", `:2: output: 01-demo ExampleLog_silent: write a folder and the name of an example`},
	"diff elsewhere":      {"```diff\n```\n", `:1: a diff fence compares broken.go and fixed.go beside the page: there is no file 01-demo/broken.go`},

	"link to nothing":       {"![a\nb](gone.svg)\n", `:1: link "gone.svg": there is no 01-demo/gone.svg; write https://... or a path relative to this page`},
	"link out":              {"[a](../../log.go)\n", `:1: link "../../log.go": there is no ../log.go`},
	"link from the root":    {"[a](/log.go)\n", `:1: link "/log.go": there is no 01-demo/log.go`},
	"empty link":            {"[a]()\n", `:1: link "": there is no 01-demo/README.md`},
	"insecure link":         {"[a](http://go.dev)\n", `:1: link "http://go.dev": there is no 01-demo/http:/go.dev; write https://...`},
	"no such heading":       {"# A\n\n[a](#b)\n", `:3: link "#b": there is no such heading; write one of #a`},
	"no such heading there": {"[a](../docs/guide.md#b)\n", `:1: link "../docs/guide.md#b": there is no such heading; write one of #a-code--more_words, #twice, #twice-1, #1-größe--why`},
	"line of a file":        {"[a](log.go#L1)\n", `:1: link "log.go#L1": only headings of pages have anchors`},
	"wrong declaration":     {"[`Log.Gone`](log.go)\n", `:1: link "log.go": the file does not declare Log.Gone; link to the one that does`},

	"no such test":            {"Some\n`TestGone`\n", ":2: `TestGone`: there is no such test; a page of a chapter can name"},
	"test of another chapter": {"`TestOther`\n", ":1: `TestOther`: there is no such test; a page of a chapter can name"},
	"no such file name":       {"`gone.go`\n", ":1: `gone.go`: no such file; write the path of one, or <name>.go for any"},
	"file of another chapter": {"`other_test.go`\n", ":1: `other_test.go`: no such file"},

	"no such folder":      {"`go run ./01-demo/cmd/gone`\n", ":1: `go run ./01-demo/cmd/gone`: there is no folder ./01-demo/cmd/gone"},
	"no such module":      {"`go run -C 01-demo/gone ./cmd/server`\n", ":1: `go run -C 01-demo/gone ./cmd/server`: there is no folder ./01-demo/gone/cmd/server"},
	"second command":      {"```sh\nls\n$ echo x | UPDATE=1 go test ./... ./gone/... # x\n```\n", `:3: $ echo x | UPDATE=1 go test ./... ./gone/... # x: there is no folder ./gone`},
	"no such pattern":     {"`go test ./01-demo/... -run 'Other/x'`\n", ":1: `go test ./01-demo/... -run 'Other/x'`: -run Other/x matches no test in ./01-demo/..."},
	"pattern of a test":   {"`go test ./... -run '^$' -bench=KeepsOrder`\n", ":1: `go test ./... -run '^$' -bench=KeepsOrder`: -bench KeepsOrder matches no test in ./..."},
	"no regexp":           {"`go test ./... -run '['`\n", ":1: `go test ./... -run '['`: error parsing regexp"},
	"two commands":        {"```sh\ncd x && go test ./...\n```\n", `:2: cd x && go test ./...: cannot read && go test ./...; write a plain command`},
	"other console":       {"```console\n$ ls\n```\n", `:2: $ ls: a console fence can show only $ go run ... and $ go test ...`},
	"console of nothing":  {"```console\ngo run ./gone\n```\n", `:2: go run ./gone: a console fence can show only $ go run ... and $ go test ...`},
	"console of a folder": {"```console\n$ go run ./gone\n```\n", `:2: $ go run ./gone: there is no folder ./gone`},

	"change of nothing": {"<!-- change: 01-demo/log.go breaks TestLog_KeepsOrder -->\n```diff\n-gone\n```\n",
		`:2: 01-demo/log.go: the lines of the diff without + do not stand there: ["gone"]`},
	"change of two places": {"<!-- change: 01-demo/log.go breaks TestLog_KeepsOrder -->\n```diff\n-}\n```\n",
		`:2: 01-demo/log.go: the lines of the diff stand there twice, at 14 and at 19; add lines around them`},
	"change without a test": {"<!-- change: 01-demo/log.go breaks TestOther in 01-demo -->\n```diff\n-)\n```\n",
		`:2: 01-demo has no test TestOther`},
	"change in words": {"<!-- change: 01-demo/log.go -->\n```diff\n-)\n```\n",
		`:2: change: 01-demo/log.go: write change: path breaks TestName, change: path passes TestName, each with`},
	"change above code": {"<!-- change: 01-demo/log.go breaks TestLog_KeepsOrder -->\n```text\n-)\n```\n",
		`:2: a change directive stands above a diff fence`},
	"change alone": {"<!-- change: 01-demo/log.go with the next -->\n```diff\n-)\n```\n",
		`:2: no change follows`},
	"change without its test": {"<!-- change: 01-demo/log.go passes TestLog_KeepsOrder -->\n```diff\n-)\n```\n",
		`:2: no paste fence above declares TestLog_KeepsOrder`},
	"printed by another test": {"<!-- printed: TestLog_KeepsOrder -->\n```text\nx\n```\n",
		`:2: the change above does not break TestLog_KeepsOrder`},
	"printed above code": {"<!-- printed: TestLog_KeepsOrder -->\n```sh\nls\n```\n",
		`:2: a printed directive stands above a text fence`},
	"pasted code": {"<!-- paste: 01-demo/log.go -->\n```go\nfunc TestX() {}\n```\n",
		`:2: write <!-- paste: path/file_test.go --> above a go fence with a test`},
	"pasted without a format": {"<!-- paste: 01-demo/log_test.go -->\n```go\nfunc TestX() { }\n```\n",
		`:2: the fence is not formatted; run gofmt`},
	"pasted into nothing": {"<!-- paste: 01-demo/gone_test.go -->\n```go\nfunc TestX() {}\n```\n",
		`:2: there is no file 01-demo/gone_test.go`},
	"diagram of nothing": {"```mermaid\nflowchart LR\n```\n",
		`:1: write <!-- diagram: TestName --> above it, the test that shows what it says`},
	"diagram without a test": {"<!-- diagram: TestGone -->\n```mermaid\nflowchart LR\n```\n",
		`:2: TestGone: there is no such test`},
	"diagram above code": {"<!-- diagram: TestLog_KeepsOrder -->\n```sh\nls\n```\n",
		`:2: a diagram directive stands above a mermaid fence`},
	"large diagram": {"<!-- diagram: TestLog_KeepsOrder -->\n```mermaid\nsequenceDiagram\n" + strings.Repeat("A->>B: x\n", 12) + "```\n",
		`:2: a diagram must have at most 11 arrows, got 12`},

	"old grpc": {"Some grpc-go\nv1.84.2.\n", `:1: go.mod requires grpc-go 1.85.0, not 1.84.2; run UPDATE=1 go test ./docs`},
	"old Go":   {"Some Go 1.25.8.\n", `:1: go.mod requires Go 1.26, not 1.25.8; run UPDATE=1 go test ./docs, or write "since Go 1.25.8" about the past`},
}

func TestCheck_ReportsEachMistake(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			root := write(t, map[string]string{demoPage: m.page})
			got := check(t, root, docscheck.Options{})
			require.Truef(t, strings.HasPrefix(got, demoPage+m.problem), "got:  %s\nwant: %s%s", got, demoPage, m.problem)
			require.NotContains(t, got, "\n"+demoPage, "it must be the only problem")
			if !strings.Contains(got, "UPDATE=1 go test") {
				require.Equal(t, got, check(t, root, docscheck.Options{Update: true}))
				require.Equal(t, m.page, read(t, root, demoPage), "only the writer can fix it")
			}
		})
	}
}

func TestCheck_ReportsProblemsInOrder(t *testing.T) {
	page := "`TestGone`\n\n[a](gone.md)\n\n```go\n```\n"
	got := check(t, write(t, map[string]string{demoPage: page}), docscheck.Options{})
	require.Regexp(t, `(?s)^01-demo/README.md:1: .*\n01-demo/README.md:3: .*\n01-demo/README.md:5: `, got)
}

func TestCheck_ComparesADiffWithBothFiles(t *testing.T) {
	page := "```diff\n package pair\n-var x = 1\n+var x = 2\n-var x = 2\n+var x = 1\n var x = 3\n```\n"
	got := check(t, write(t, map[string]string{"03-pair/README.md": page}), docscheck.Options{})
	require.Equal(t, `03-pair/README.md:5: "var x = 2" is no line of broken.go; copy it from there
03-pair/README.md:6: "var x = 1" is no line of fixed.go; copy it from there
03-pair/README.md:7: "var x = 3" is no line of broken.go or fixed.go; copy it from there`, got)
}

func TestChanges_ApplyTheDiffsOfPages(t *testing.T) {
	page := "```sh\nls\n```\n\n<!-- change: 01-demo/log.go breaks TestLog_KeepsOrder -->\n" +
		"```diff\n func (l *Log[T]) Append(entry T) {\n-l.entries = append(l.entries, entry)\n+\tl.entries = []T{entry}\n }\n```\n\n" +
		"<!-- printed: TestLog_KeepsOrder -->\n```text\ngot 1\n```\n"
	root := write(t, map[string]string{demoPage: page})
	require.Empty(t, check(t, root, docscheck.Options{}))
	all, err := docscheck.Changes(root)
	require.NoError(t, err)
	require.Equal(t, []*docscheck.Change{{
		Page: demoPage, Line: 6, Folder: "01-demo", Test: "TestLog_KeepsOrder", Printed: []string{"got 1"},
		After: map[string][]byte{
			"01-demo/log.go": []byte(strings.Replace(files["01-demo/log.go"], "append(l.entries, entry)", "[]T{entry}", 1)),
		},
	}}, all)
}

func TestChanges_PasteATestAndJoinEdits(t *testing.T) {
	page := "`go test -run TestLog_Clears ./01-demo`\n\n" +
		"<!-- paste: 01-demo/log_test.go -->\n```go\nfunc TestLog_Clears() {}\n```\n\n" +
		"<!-- change: 01-demo/demo.proto with the next -->\n```diff\n-service Demo {\n+service Log {\n```\n\n" +
		"<!-- change: 01-demo/log.go with the next -->\n```diff\n-\tMin = 1\n```\n\n" +
		"<!-- change: 01-demo/log.go passes TestLog_Clears -->\n```diff\n-\tMax = 10\n```\n"
	root := write(t, map[string]string{demoPage: page})
	require.Empty(t, check(t, root, docscheck.Options{}))
	all, err := docscheck.Changes(root)
	require.NoError(t, err)
	pasted := []byte(files["01-demo/log_test.go"] + "\nfunc TestLog_Clears() {}\n")
	require.Equal(t, []*docscheck.Change{{
		Page: demoPage, Line: 20, Folder: "01-demo", Test: "TestLog_Clears", Passes: true,
		Before: map[string][]byte{"01-demo/log_test.go": pasted},
		After: map[string][]byte{
			"01-demo/demo.proto":  []byte(strings.Replace(files["01-demo/demo.proto"], "service Demo", "service Log", 1)),
			"01-demo/log.go":      []byte(strings.Replace(files["01-demo/log.go"], "\tMin = 1\n\tMax = 10\n", "", 1)),
			"01-demo/log_test.go": pasted,
		},
	}}, all)
}

func TestCheck_ReportsTheFormOfALesson(t *testing.T) {
	page := "# Demo\n\n" + strings.Repeat("word ", 1300) + "\n\n```text\nnot counted\n```\n\n| nor | this |\n|---|---|\n\n" +
		"## First\n\n`TestLog_KeepsOrder` and `BenchmarkLog`.\n\n## Proof\n\n`TestLog_KeepsOrder`, `BenchmarkLog`.\n"
	got := check(t, write(t, map[string]string{demoPage: page}), docscheck.Options{Lessons: []string{demoPage}})
	require.Equal(t, demoPage+`:1: a lesson must have at most 1300 words outside fences, tables and comments, got 1311
01-demo/README.md:1: a lesson must have a picture, a mermaid fence
01-demo/README.md:1: a lesson must end with the sections `+
		`On the wire, What it costs, When to use something else, Summary, Check yourself, Your turn, Exercise, Proof
01-demo/README.md:14: BenchmarkLog: the section names a test in line 14 already; list this one under Proof`, got)
}

// truth uses forms that need no update. All of it is true.
const truth = "# A page\n\n" +
	"[`Log.Append`](log.go), [`serve.Run`](../internal/serve/run.go), [`Demo.Watch`](demo.proto), [`fmt`](https://go.dev/pkg/fmt),\n" +
	"[above](#a-page), [guide](../docs/guide.md#twice-1), ![picture](testdata/trace.txt), [folder](..), [a](#a-page),\n" +
	"`TestLog_KeepsOrder/a subtest`, `log.go`, `testdata/trace.txt`, `go.mod`, `<name>.go`, [`gone.go`](https://go.dev),\n" +
	"`go test ./01-demo -run 'KeepsOrder|Other' -bench\nLog`, `go test ./<chapter>`, `` a ` [b](gone.md) ``, Go 1.26, Go 1.26.8,\n" +
	"since Go 1.22, grpc-go v1.85.0, [it](https://github.com/grpc/grpc-go/blob/v1.85.0/call.go).\n\n" +
	"| a | b |\n|---|---|\n| `x \\| y` | c<br>d |\n\n" +
	"<details>\n<summary>Answer</summary>\n\nText.\n\n</details>\n\n" +
	"<!-- generated: table -->\n```go\nx := 1\n```\n<!-- end -->\n\n" +
	"<!-- code: none (no file holds a mistake) -->\n```go\nx\n```\n\n" +
	"```sh\n# A comment.\ngo test ./01-demo/...   # and one more\ntail -F log | go run ./01-demo </dev/null\n```\n\n" +
	"```console\n$ go run ./01-demo -run x\n```\n"

func TestCheck_AcceptsEachForm(t *testing.T) {
	root := write(t, map[string]string{demoPage: truth, "CHANGELOG.md": "Go 1.25, grpc-go v1.84.0\n"})
	written := time.Unix(1_000_000_000, 0)
	require.NoError(t, os.Chtimes(filepath.Join(root, demoPage), written, written))
	require.Empty(t, check(t, root, docscheck.Options{Update: true}))
	require.Equal(t, truth, read(t, root, demoPage))
	info, err := os.Stat(filepath.Join(root, demoPage))
	require.NoError(t, err)
	require.True(t, info.ModTime().Equal(written), "an update writes only pages that change")
	require.Equal(t, "Go 1.25, grpc-go v1.84.0\n", read(t, root, "CHANGELOG.md"))
}

// sources are directives with what an update writes into their fences.
var sources = map[string]string{
	"code: 01-demo/log.go Log.Append":                "func (l *Log[T]) Append(entry T) {\n\tl.entries = append(l.entries, entry)\n}",
	"code: 01-demo/log.go Max text":                  "const (\n\tMin = 1\n\tMax = 10\n)\n\n//go:embed log.txt\nvar text string",
	"code: 01-demo/log.go Log doc":                   "// A Log is a list of entries.\ntype Log[T any] struct {\n\tentries []T\n}",
	"code: 01-demo/log.go Log.Append /append/ /^}$/": "\tl.entries = append(l.entries, entry)\n}",
	"code: 01-demo/conf.yaml /use/ /except/":         "use: all\nexcept: none",
	"code: 01-demo/testdata/trace.txt":               "  0s HEADERS\n1.5s DATA",
	"code: 01-demo/demo.proto Tick":                  "message Tick {\n  int64 number = 1;\n}",
	"code: 01-demo/demo.proto Demo.Watch":            "rpc Watch(WatchRequest)\n    returns (stream Tick);",
	"code: 01-demo/demo.proto Demo.Stop doc":         "// Stop stops.\nrpc Stop(StopRequest) returns (Stopped) {\n  option deprecated = true;\n}",
	"output: 01-demo ExampleLog":                     "one",
}

func TestCheck_UpdateRewritesSnippets(t *testing.T) {
	for directive, want := range sources {
		t.Run(directive, func(t *testing.T) {
			page := func(body string) string {
				return "grpc-go v1.85.0\n\n<!-- " + directive + " -->\n```text\n" + body + "\n```\n\nText.\n"
			}
			old := strings.Replace(page("old\n\nold"), "v1.85.0", "v1.84.0", 1)
			root := write(t, map[string]string{demoPage: old})
			require.Contains(t, check(t, root, docscheck.Options{}), "the fence differs from its source")
			require.Equal(t, old, read(t, root, demoPage))

			require.Empty(t, check(t, root, docscheck.Options{Update: true}))
			require.Equal(t, page(want), read(t, root, demoPage))
			require.Empty(t, check(t, root, docscheck.Options{}))
		})
	}
}

const program = `package main

import ("fmt"; "os")

func main() {
	fmt.Println("one  ")
	fmt.Fprintln(os.Stderr, "two", os.Getenv("UPDATE"))
	os.Exit(3)
}
`

func TestCheck_RunsConsoleFences(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	t.Setenv("UPDATE", "1")
	const command = "```console\n$ go run ./cmd </dev/null\n"
	const right = command + "one\ntwo\nexit status 3\n$ go run ./cmd x\n```\n"
	const gap = command + "...\nexit status 3\n```\n"
	const wrongGap = command + "...\nexit status 4\n```\n"
	root := write(t, map[string]string{"cmd/main.go": program, "right.md": right, "gap.md": gap,
		"wrong.md": strings.Replace(right, "two", "2", 1), "wrong-gap.md": wrongGap})

	require.NotContains(t, check(t, root, docscheck.Options{Short: true}), "differs")
	want := "wrong-gap.md:3: the fence differs from its source; run UPDATE=1 go test ./docs\n" +
		"page:\n\t...\n\texit status 4\nsource:\n\tone\n\ttwo\n\texit status 3"
	require.Equal(t, want+"\nwrong.md:4: the fence differs from its source; run UPDATE=1 go test ./docs\n"+
		"page:\n\t2\n\texit status 3\n\t$ go run ./cmd x\nsource:\n\ttwo\n\texit status 3\n\t$ go run ./cmd x",
		check(t, root, docscheck.Options{}))
	require.Equal(t, want, check(t, root, docscheck.Options{Update: true}))
	require.Equal(t, right, read(t, root, "wrong.md"))
	require.Contains(t, check(t, root, docscheck.Options{Limit: 1}),
		"wrong.md:2: $ go run ./cmd </dev/null: it still runs after 1ns; show a command that ends")
	require.Equal(t, wrongGap, read(t, root, "wrong-gap.md"))
}

func TestCheck_FailsWithoutARepository(t *testing.T) {
	_, err := docscheck.Check(filepath.Join(t.TempDir(), "gone"), docscheck.Options{})
	require.Error(t, err)
	_, err = docscheck.Check(write(t, map[string]string{"x.go": "package x\n\nfunc {\n"}), docscheck.Options{})
	require.ErrorContains(t, err, "x.go:3:6: ")
}
