package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARightPageHasNoProblems(t *testing.T) {
	s := siteWith(t, nil)
	require.Equal(t, []string{demoPage, "docs/guide.md"}, s.pages)
	require.Empty(t, s.check(demoPage))
	require.Equal(t, fixture(t)[demoPage], updated(t, nil, fixture(t)[demoPage]))
}

func TestAChangedSnippetIsCaughtAndMended(t *testing.T) {
	files := edited(t, "01-demo/log.go", "// oldest first", "// newest first")
	requireMended(t, files, ":8: the code of 01-demo/log.go Log has changed; "+
		"run: go test ./docs -update\n"+
		"\tpage: \tentries []T // oldest first\n"+
		"\tcode: \tentries []T // newest first")
}

func TestAShorterSnippetIsCaughtAndMended(t *testing.T) {
	files := edited(t, "01-demo/log.go", "\n\tl.entries = append(l.entries, entry)\n}", "}")
	requireMended(t, files, ":18: the code of 01-demo/log.go Log.Append doc has changed; "+
		"run: go test ./docs -update\n"+
		"\tpage: func (l *Log[T]) Append(entry T) {\n"+
		"\tcode: func (l *Log[T]) Append(entry T) {}")
}

func TestAChangedOutputIsCaughtAndMended(t *testing.T) {
	files := edited(t, "01-demo/log_test.go", "// two\n", "// two\n\t// three\n")
	requireMended(t, files, ":35: the output of 01-demo ExampleLog has changed; "+
		"run: go test ./docs -update\n"+
		"\tpage: (ends)\n"+
		"\tcode: three")
}

// requireMended checks that the page has one problem once files have
// changed, that an update mends it, and that it changes nothing else.
func requireMended(t *testing.T, files map[string]string, problem string) {
	t.Helper()
	page := fixture(t)[demoPage]
	require.Equal(t, []string{demoPage + problem}, siteWith(t, files).check(demoPage))

	mended := updated(t, files, page)
	require.NotEqual(t, page, mended)
	require.Equal(t, mended, updated(t, files, mended), "a second update changes nothing")
	require.Equal(t, page, updated(t, nil, mended), "only the fence has changed")

	files[demoPage] = mended
	require.Empty(t, siteWith(t, files).check(demoPage))
}

// updated returns a page in the place of demoPage after an update, with
// some files replaced.
func updated(t *testing.T, files map[string]string, page string) string {
	t.Helper()
	return siteWith(t, files).updated(parsePage(demoPage, page))
}

func TestAnUpdateInsertsTheMissingFence(t *testing.T) {
	page := "- <!-- code: 01-demo/conf.yaml /version/ -->\n  Text.\n\n<!-- output: 01-demo ExampleLog -->"
	require.Equal(t, []string{
		demoPage + ":1: no fence follows; run: go test ./docs -update",
		demoPage + ":4: no fence follows; run: go test ./docs -update",
	}, problems(t, page))
	require.Equal(t, "- <!-- code: 01-demo/conf.yaml /version/ -->\n"+
		"  ```yaml\n  version: 2\n  ```\n\n  Text.\n\n"+
		"<!-- output: 01-demo ExampleLog -->\n```text\none\n\ntwo\n```",
		updated(t, nil, page))
}

func TestAnUpdateLengthensAFenceThatItsCodeWouldClose(t *testing.T) {
	files := map[string]string{"page.txt": "```go\n```\n"}
	page := "<!-- code: page.txt -->\n```md\n```\n"
	want := "<!-- code: page.txt -->\n````md\n```go\n```\n````\n"
	require.Equal(t, want, updated(t, files, page))
	require.Equal(t, want, updated(t, files, want))
}

func TestALineOfBlanksIsAnEmptyLine(t *testing.T) {
	page := "<!-- code: 01-demo/log.go /use.`/ /^`/ -->\n```go\n```\n"
	want := "<!-- code: 01-demo/log.go /use.`/ /^`/ -->\n```go\n\tuse(`\n\n`)\n```\n"
	require.Equal(t, want, updated(t, nil, page))
	require.Empty(t, problems(t, want))
}

func TestAnUpdateLeavesWhatOnlyTheWriterCanMend(t *testing.T) {
	for _, page := range []string{
		"<!-- code: 01-demo/log.go Gone -->\n```go\nx\n```\n",
		"<!-- code: none (a reason) -->\n```go\nx\n```\n",
		"```go\nx\n```\n",
		"<!-- code: 01-demo/log.go Log -->\n```go\nnever closed\n\nMore text.\n",
	} {
		require.Equal(t, page, updated(t, nil, page))
	}
}

func TestAnUpdateWritesOnlyTheFilesThatChange(t *testing.T) {
	root := t.TempDir()
	files := siteWith(t, edited(t, "01-demo/log.go", "oldest first", "newest first")).fsys
	require.NoError(t, os.CopyFS(root, files))
	page, guide := filepath.Join(root, demoPage), filepath.Join(root, "docs/guide.md")
	require.NoError(t, os.Chmod(page, 0o640))
	guideBefore, err := os.Stat(guide)
	require.NoError(t, err)

	updatePages(t, root)

	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, strings.Replace(fixture(t)[demoPage], "oldest first", "newest first", 1), string(text))
	info, err := os.Stat(page)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode())
	guideAfter, err := os.Stat(guide)
	require.NoError(t, err)
	require.True(t, os.SameFile(guideBefore, guideAfter), "a page that is true is not written")
}

func TestAFileThatCannotBeReplacedStaysAndNothingIsLeftBehind(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.Mkdir(folder, 0o755))
	require.Error(t, replaceFile(folder, "text"))
	require.DirExists(t, folder)
	require.NoFileExists(t, folder+".update")
}
