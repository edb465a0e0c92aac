package pitfalls

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryFolderIsInTheCatalogueAndEveryEntryHasAFolder(t *testing.T) {
	found, err := filepath.Glob("*/broken.go")
	require.NoError(t, err)
	var folders, entries []string
	for _, path := range found {
		folders = append(folders, filepath.Dir(path))
	}
	for _, p := range Catalogue {
		entries = append(entries, p.Name)
	}
	require.ElementsMatch(t, folders, entries)
}

func TestTheReadmeHasTheRowsOfTheCatalogueInItsOrder(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	got := regexp.MustCompile(`(?m)^\| .* \| \[[a-z-]+\]\(.*$`).FindAllString(string(readme), -1)
	var want []string
	for _, p := range Catalogue {
		want = append(want, "| "+p.Symptom+" | ["+p.Name+"]("+p.Name+"/) | "+p.Fix+" |")
	}
	require.Equal(t, want, got)
}

func TestEveryPitfallSaysWhatItIsInAFewLines(t *testing.T) {
	for _, p := range Catalogue {
		for _, name := range []string{"broken.go", "fixed.go"} {
			path := filepath.Join(p.Name, name)
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			require.LessOrEqual(t, strings.Count(string(src), "\n"), 70, "lines of %s", path)
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Name, "broken.go"), nil,
			parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		require.Regexp(t, `(?s)\n\nSymptom: .*\n\nCause: .*\n\nSilence: .*\n\nFix: .*\n\n(Threads|Source): `,
			file.Doc.Text(), p.Name)
	}
}
