// Package internal_test keeps the imports of the repository pointing one
// way.
package internal_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const module = "example.com/streams/"

// A reader may take a chapter away with internal/, and nothing else.
func TestAChapterImportsNoOtherAndInternalImportsNone(t *testing.T) {
	wrong, err := wrongImports(os.DirFS(".."))
	require.NoError(t, err)
	require.Empty(t, wrong)
}

func TestAWrongImportIsFound(t *testing.T) {
	file := func(imports ...string) *fstest.MapFile {
		text := "package p\n"
		for _, i := range imports {
			text += "import " + strconv.Quote(i) + "\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	wrong, err := wrongImports(fstest.MapFS{
		"01-one/good.go":       file("fmt", module+"01-one/x/v1", module+"internal/serve"),
		"01-one/cmd/c/main.go": file(module + "02-two"),
		"01-one/a_test.go":     file(module + "02-two/cmd"),
		"internal/a/a.go":      file(module + "01-one/x/v1"),
		"docs/docs_test.go":    file(module + "01-one"),
		"docs/testdata/x.go":   {Data: []byte("no Go")},
	})
	require.NoError(t, err)
	require.Equal(t, []string{
		"01-one/a_test.go imports chapter 02-two",
		"01-one/cmd/c/main.go imports chapter 02-two",
		"internal/a/a.go imports chapter 01-one",
	}, wrong)
}

var chapter = regexp.MustCompile(`^\d\d-[^/]+`)

// wrongImports returns a sentence for each import of a chapter by a file of
// another chapter or of internal/.
func wrongImports(root fs.FS) (wrong []string, err error) {
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case path.Ext(name) != ".go", !chapter.MatchString(name) && !strings.HasPrefix(name, "internal/"):
			return nil
		}
		imports, err := importsOf(root, name)
		for _, imported := range imports {
			if c := chapterOf(imported); c != "" && c != chapter.FindString(name) {
				wrong = append(wrong, fmt.Sprintf("%s imports chapter %s", name, c))
			}
		}
		return err
	})
	return wrong, err
}

func chapterOf(imported string) string {
	own, _ := strings.CutPrefix(imported, module)
	return chapter.FindString(own)
}

// importsOf returns what a Go file imports.
func importsOf(root fs.FS, name string) (imports []string, err error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	for _, spec := range file.Imports {
		imports = append(imports, strings.Trim(spec.Path.Value, "`\""))
	}
	return imports, nil
}

// The embedded server is that of tests, but a command brings no test along.
func TestNoCommandLinksTesting(t *testing.T) {
	root := os.DirFS("..")
	mains, err := fs.Glob(root, "*/cmd/*/main.go")
	require.NoError(t, err)
	require.NotEmpty(t, mains)
	for _, main := range mains {
		linked := map[string]bool{}
		link(t, root, path.Dir(main), linked)
		require.True(t, linked[module+"internal/command"], "%s: all commands have it", main)
		require.False(t, linked["testing"], "%s links testing", main)
	}
}

// link adds what the package in a folder imports, and what that imports, as
// far as it is of this module.
func link(t *testing.T, root fs.FS, dir string, linked map[string]bool) {
	files, err := fs.Glob(root, dir+"/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		imports, err := importsOf(root, file)
		require.NoError(t, err)
		for _, imported := range imports {
			if own, ok := strings.CutPrefix(imported, module); ok && !linked[imported] {
				link(t, root, own, linked)
			}
			linked[imported] = true
		}
	}
}
