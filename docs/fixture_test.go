package docs_test

import (
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// demoPage is the page under test. In testdata/site, a small repository,
// it uses each form, and all of it is true.
const demoPage = "01-demo/README.md"

// fixture returns the files of testdata/site.
func fixture(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	site := os.DirFS("testdata/site")
	err := fs.WalkDir(site, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(site, name)
		files[name] = string(text)
		return err
	})
	require.NoError(t, err)
	return files
}

// siteWith returns the fixture with some files replaced.
func siteWith(t *testing.T, files map[string]string) *site {
	t.Helper()
	all := fixture(t)
	maps.Copy(all, files)
	fsys := fstest.MapFS{}
	for name, text := range all {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := newSite(fsys)
	require.NoError(t, err)
	return s
}

// problems returns what is wrong with a page in the place of demoPage.
func problems(t *testing.T, page string) []string {
	t.Helper()
	return siteWith(t, map[string]string{demoPage: page}).check(demoPage)
}

// edited returns a file of the fixture with one text replaced by another.
func edited(t *testing.T, name, old, new string) map[string]string {
	t.Helper()
	text := fixture(t)[name]
	require.Equal(t, 1, strings.Count(text, old))
	return map[string]string{name: strings.Replace(text, old, new, 1)}
}
