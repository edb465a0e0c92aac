// Package docs_test keeps every Markdown page of the repository true:
// its snippets, outputs, links, anchors, test names and commands.
// README.md says how to write a page.
package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the snippets and outputs of every page")

func TestEveryPageIsTrue(t *testing.T) {
	root := repository(t)
	if *update {
		updatePages(t, root)
	}
	s, err := newSite(os.DirFS(root))
	require.NoError(t, err)
	require.NotEmpty(t, s.pages, "no Markdown page below %s", root)
	for _, page := range s.pages {
		t.Run(page, func(t *testing.T) {
			for _, problem := range s.check(page) {
				t.Error(problem)
			}
		})
	}
}

// repository returns the folder of the module that holds this test.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module example.com/streams\n") {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod of example.com/streams above this test")
		dir = parent
	}
}

// updatePages rewrites the pages below root whose fences are stale.
func updatePages(t *testing.T, root string) {
	t.Helper()
	s, err := newSite(os.DirFS(root))
	require.NoError(t, err)
	for _, name := range s.pages {
		p, err := s.page(name)
		require.NoError(t, err)
		text := s.updated(p)
		if text == p.text() {
			continue
		}
		require.NoError(t, replaceFile(filepath.Join(root, name), text))
		t.Logf("%s: updated", name)
	}
}

// replaceFile gives a file a new text in one step: a reader sees the old
// text or the new one.
func replaceFile(name, text string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	next := name + ".update"
	defer os.Remove(next)
	if err := os.WriteFile(next, []byte(text), info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(next, name)
}
