package pitfalls

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/play"
	missingclosesend "example.com/streams/06-pitfalls/missing-closesend"
	"example.com/streams/internal/client"
)

var update = flag.Bool("update", false, "rewrite testdata")

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

func TestThePlayOfMissingCloseSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got strings.Builder
		player := play.Player{
			Target:   &client.Target{},
			Patience: 3 * time.Second,
			Say:      func(line string) { fmt.Fprintln(&got, line) },
		}
		require.NoError(t, player.Show(t.Context(), missingclosesend.Pitfall))
		if *update {
			require.NoError(t, os.WriteFile("testdata/missing-closesend.txt", []byte(got.String()), 0o644))
		}
		want, err := os.ReadFile("testdata/missing-closesend.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), got.String())
	})
}

// Each play is a process of its own, since some of the broken code can only
// be ended that way.
func TestEveryPlayShowsADifferenceAndTheFixedCodeEnds(t *testing.T) {
	for _, p := range Catalogue {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			out := lab.Process(t, func() {
				synctest.Test(t, func(t *testing.T) {
					player := play.Player{Target: &client.Target{}, Patience: 3 * time.Second, Say: func(line string) { fmt.Println(line) }}
					require.NoError(t, player.Show(t.Context(), p))
					fmt.Println("end of play")
				})
			})

			story, _, ended := strings.Cut(out, "end of play")
			require.True(t, ended, out)
			broken, fixed := said(story, "broken"), said(story, "fixed")
			require.NotEmpty(t, broken)
			require.NotEmpty(t, fixed)
			require.NotEqual(t, broken, fixed)
			require.NotContains(t, fixed, "still runs")
			require.NotContains(t, fixed, "not returned")
		})
	}
}

// said returns the lines of one side, without the name of the side.
func said(story, side string) (lines string) {
	for line := range strings.Lines(story) {
		if rest, ok := strings.CutPrefix(line, side+" "); ok {
			lines += strings.TrimSpace(rest) + "\n"
		}
	}
	return lines
}
