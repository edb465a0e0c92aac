package docs_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// mistakes are pages with one problem each, and its message after the
// name of the page. Code is in the lines from 3 on.
var mistakes = map[string]struct{ page, problem string }{
	"a go fence without a source": {
		"Text.\n\n```go\nx\n```\n",
		`:3: no source for this go fence; write <!-- code: path Symbol --> before it, or <!-- code: none (reason) -->`,
	},
	"a directive that does not stand directly before its fence": {
		"<!-- code: none (a reason) -->\nText.\n\n```text\n```\n",
		`:1: no fence follows; remove the comment`,
	},
	"a go fence on the line of a bullet": {
		"- ```Go\n  x\n  ```\n",
		`:1: no source for this go fence; write <!-- code: path Symbol --> before it, or <!-- code: none (reason) -->`,
	},
	"no reason": {
		"<!-- code: none () -->\n```go\n```\n",
		`:1: code without a source needs a reason; write <!-- code: none (why no file holds it) -->`,
	},
	"a fence without end": {
		"\n<!-- code: 01-demo/log.go Log -->\n```text\nx\n",
		`:3: the fence is never closed; end it with ` + "```",
	},
	"a directive in a sentence": {
		"Text <!-- code: 01-demo/log.go Log -->\n",
		`:1: a directive stands alone on one line; put the whole comment on a line of its own`,
	},
	"two directives before a fence": {
		"<!-- code: none (a reason) -->\n<!-- code: none (a reason) -->\n\n```proto\n```\n",
		`:1: no fence follows; remove the comment`,
	},
	"a broken link after a lone backtick": {
		"- One ` here: [x](gone.go).\n- One ` there.\n",
		`:1: link gone.go: there is no 01-demo/gone.go; name a file or folder relative to this page`,
	},
	"a directive over two lines": {
		"<!-- code: 01-demo/log.go\nLog -->\n",
		`:1: a directive stands alone on one line; put the whole comment on a line of its own`,
	},
	"an unknown file": {
		"<!-- code: log.go Log -->\n```go\n```\n",
		`:1: log.go: cannot be read; write the path of a file, from the root of the repository`,
	},
	"a path out of the repository": {
		"<!-- code: ../log.go Log -->\n```go\n```\n",
		`:1: ../log.go: write the path from the root of the repository`,
	},
	"an unknown symbol": {
		"\n<!-- code: 01-demo/log.go Log.append -->\n```go\n```\n",
		`:2: 01-demo/log.go declares no Log.append; it has Log.Append`,
	},
	"an unknown message": {
		"<!-- code: 01-demo/demo/v1/demo.proto Tock -->\n```proto\n```\n",
		`:1: 01-demo/demo/v1/demo.proto declares no Tock; it has ` +
			`Demo, Demo.Stop, Demo.Watch, Kind, Last, Last.Kind, Stop, Tick, ...`,
	},
	"a symbol of a file that has none": {
		"<!-- code: 01-demo/conf.yaml lint -->\n```yaml\n```\n",
		`:1: 01-demo/conf.yaml: only .go and .proto files have symbols; use /from/ /to/`,
	},
	"a pattern that matches nothing": {
		"<!-- code: 01-demo/log.go Follow /for j/ /use.i/ -->\n```go\n```\n",
		`:1: no line of 01-demo/log.go matches /use.i/ there; write a pattern that does`,
	},
	"no pattern": {
		"<!-- code: 01-demo/log.go /(/ -->\n```go\n```\n",
		":1: /(/ is not a pattern: error parsing regexp: missing closing ): `(`",
	},
	"three patterns": {
		"<!-- code: 01-demo/log.go /a/ /b/ /c/ -->\n```go\n```\n",
		`:1: code: 01-demo/log.go /a/ /b/ /c/: write a path, then symbols, /from/ or /from/ /to/`,
	},
	"an unknown example": {
		"<!-- output: 01-demo ExampleLogs -->\n```text\n```\n",
		`:1: no test file of 01-demo has ExampleLogs; it has ExampleLog`,
	},
	"an example without output": {
		"<!-- output: 01-demo ExampleFollow -->\n```text\n```\n",
		`:1: output: 01-demo ExampleFollow has no // Output: comment with text, so nothing checks what it prints; add one`,
	},
	"an output without an example": {
		"<!-- output: 01-demo -->\n```text\n```\n",
		`:1: output: 01-demo: write a folder or a _test.go file, then an ExampleName`,
	},
	"a broken link": {
		"Some\ntext, [a\nlink](gone.go).\n",
		`:2: link gone.go: there is no 01-demo/gone.go; name a file or folder relative to this page`,
	},
	"a broken image in a link": {
		"[![x](gone.png)](log.go)\n",
		`:1: link gone.png: there is no 01-demo/gone.png; name a file or folder relative to this page`,
	},
	"a broken link in HTML": {
		"Text <img alt=\"\" src=\"gone.png\">\n",
		`:1: link gone.png: there is no 01-demo/gone.png; name a file or folder relative to this page`,
	},
	"a broken reference": {
		"[a]\n\n[a]: gone.md\n",
		`:3: link gone.md: there is no 01-demo/gone.md; name a file or folder relative to this page`,
	},
	"an undefined reference": {
		"[a][b]\n",
		`:1: nothing defines the reference [b]; add a line [b]: path`,
	},
	"a link out of the repository": {
		"[a](../../log.go)\n",
		`:1: link ../../log.go: leads out of the repository`,
	},
	"a link from the root": {
		"[a](/01-demo/log.go)\n",
		`:1: link /01-demo/log.go: is neither http(s) nor a path relative to this page`,
	},
	"an empty link": {
		"[a]()\n",
		`:1: link : is neither http(s) nor a path relative to this page`,
	},
	"a link with a space": {
		"[a](log .go)\n",
		`:1: [a] has a target with a space or no end; write [text](path)`,
	},
	"a link that does not parse": {
		"[a](https://[x)\n",
		`:1: link https://[x: parse "https://[x": missing ']' in host`,
	},
	"a broken anchor": {
		"# A b\n\n[a](#a-b) [a](#a)\n",
		`:3: link #a: no heading of 01-demo/README.md has the anchor #a; it has a-b`,
	},
	"a broken anchor of another page": {
		"[a](../docs/guide.md#twice-2)\n",
		`:1: link ../docs/guide.md#twice-2: no heading of docs/guide.md has the anchor #twice-2; it has twice`,
	},
	"a line that is not there": {
		"[a](conf.yaml#L5) [a](conf.yaml#L5-L6)\n",
		`:1: link conf.yaml#L5-L6: 01-demo/conf.yaml has 5 lines, so there is no #L5-L6`,
	},
	"an anchor of a file": {
		"[a](conf.yaml#lint)\n",
		`:1: link conf.yaml#lint: 01-demo/conf.yaml has lines, such as #L1, but no anchor #lint`,
	},
	"a link from a symbol to another file": {
		"[`Log.Gone`](log.go)\n",
		`:1: link log.go: 01-demo/log.go does not declare Log.Gone; link to the file that does`,
	},
	"a link from a test to another file": {
		"[`TestAppendKeepsOrder`](log.go)\n",
		`:1: link log.go: 01-demo/log.go does not declare TestAppendKeepsOrder; link to the file that does`,
	},
	"a referenced link from a symbol to another file": {
		"\n[`Tock`][demo]\n\n[demo]: demo/v1/demo.proto\n",
		`:2: link demo/v1/demo.proto: 01-demo/demo/v1/demo.proto does not declare Tock; link to the file that does`,
	},
	"an unknown test": {
		"Text\nand `TestGone`.\n",
		":2: `TestGone`: no test file declares it; name the test that shows this",
	},
	"a test of another chapter": {
		"See `TestOther`.\n",
		":1: `TestOther`: only 02-other/other_test.go has it; name a test of 01-demo, internal or docs",
	},
	"an unknown subtest": {
		"See `TestAppendKeepsOrder/two_entries`.\n",
		":1: `TestAppendKeepsOrder/two_entries`: no string in 01-demo/log_test.go names the subtest \"two_entries\"",
	},
	"a command in a folder that is not there": {
		"Text\n`go run ./01-demo/cmd/gone`.\n",
		`:2: go run ./01-demo/cmd/gone: there is no folder 01-demo/cmd/gone`,
	},
	"a command in a fence": {
		"```sh\nls\nA=1 go test ./... \\\n  ./gone/... | tail\n```\n",
		`:3: go test ./... ./gone/...: there is no folder gone`,
	},
	"a command after cd": {
		"```console\n$ cd 01-demo\n$ go test ./01-demo\n```\n",
		`:3: go test ./01-demo: there is no folder 01-demo/01-demo`,
	},
	"a -run that matches nothing": {
		"`go test ./01-demo/... -run TestOther`\n",
		`:1: go test ./01-demo/... -run TestOther: -run TestOther matches no test in 01-demo/...`,
	},
	"a -run in a folder without tests of its own": {
		"`go test . -run TestOther`\n",
		`:1: go test . -run TestOther: -run TestOther matches no test in .`,
	},
	"a -run that is no pattern": {
		"`go test ./... -run '('`\n",
		":1: go test ./... -run (: -run: error parsing regexp: missing closing ): `(`",
	},
	"a -bench that matches nothing": {
		"`go test ./01-demo -run '^$' -bench=Follow`\n",
		`:1: go test ./01-demo -run ^$ -bench=Follow: -bench Follow matches no test in 01-demo`,
	},
}

func TestEachMistakeIsCaughtAtItsLine(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []string{demoPage + m.problem}, problems(t, m.page))
		})
	}
}

func TestAllProblemsOfAPageAreReportedInOrder(t *testing.T) {
	require.Equal(t, []string{
		demoPage + ":1: `TestGone`: no test file declares it; name the test that shows this",
		demoPage + ":3: link gone.md: there is no 01-demo/gone.md; name a file or folder relative to this page",
		demoPage + ":5: 01-demo/log.go declares no Lag; it has " +
			"Follow, Log, Log.Append, Max, Min, Sample",
	}, problems(t, "`TestGone`\n\n[a](gone.md)\n\n<!-- code: 01-demo/log.go Lag -->\n```go\n```\n"))
}

func TestAPageOutsideTheChaptersMayNameAnyTest(t *testing.T) {
	s := siteWith(t, map[string]string{"docs/guide.md": "`TestOther`, `TestAppendKeepsOrder`\n"})
	require.Empty(t, s.check("docs/guide.md"))
}

func TestATestFileThatDoesNotParseIsReported(t *testing.T) {
	fsys := fstest.MapFS{"01-demo/x_test.go": {Data: []byte("package demo\n\nfunc {\n")}}
	_, err := newSite(fsys)
	require.ErrorContains(t, err, "does not parse: 01-demo/x_test.go:3:6")
}
