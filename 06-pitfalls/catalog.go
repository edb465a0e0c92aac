// Package pitfalls is a catalog of mistakes in streaming code. Each mistake
// has a folder with the broken code, the fixed code, tests of both, and a
// page. The first lines of the pages are the catalog.
package pitfalls

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed */README.md
var pages embed.FS

// groups are the groups of pitfalls in the order of README.md.
var groups = []string{
	"Read these three first",
	"It hangs",
	"It leaks",
	"The error is lost, or says something else",
	"Messages are lost, or wrong",
	"It worked until production",
}

// A Pitfall is what the first lines of a page say.
type Pitfall struct {
	Name   string // of the folder
	See    string // the symptom, a sentence without its period
	Errors string // the text to look for in logs, or empty
	Fix    string // a sentence without its period
	Group  string // its heading in README.md
}

var front = regexp.MustCompile(`^# (.+)\n\n` +
	`\*\*You see:\*\* ([^\n]+)\.\n\n` +
	"(?:```text\n((?s:.+?)\n)```\n\n)?" +
	`\*\*Fix:\*\* ([^\n]+)\.\n\n` +
	`\*\*Group:\*\* \[(.+)\]\(\.\./README\.md#.+\)\n\n## `)

// Catalog returns all pitfalls, ordered by group and name.
func Catalog() ([]Pitfall, error) {
	files, err := fs.Glob(pages, "*/README.md")
	if err != nil {
		return nil, err
	}
	var all []Pitfall
	for _, file := range files {
		if path.Dir(file) == "exercise" {
			continue // its page is no pitfall
		}
		page, err := fs.ReadFile(pages, file)
		if err != nil {
			return nil, err
		}
		m := front.FindStringSubmatch(strings.ReplaceAll(string(page), "\r\n", "\n"))
		if m == nil {
			return nil, fmt.Errorf("%s: must begin with # name, **You see:**, **Fix:** and **Group:** [group](../README.md#group), "+
				"each a paragraph of one line; compare handler-returns-eof/README.md", file)
		}
		p := Pitfall{Name: m[1], See: m[2], Errors: m[3], Fix: m[4], Group: m[5]}
		if p.Name != path.Dir(file) || !slices.Contains(groups, p.Group) {
			return nil, fmt.Errorf("%s: want # %s and one of the groups %q", file, path.Dir(file), groups)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Pitfall) int {
		return cmp.Or(slices.Index(groups, a.Group)-slices.Index(groups, b.Group), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// Find returns the pitfall whose name is words, with spaces or with hyphens.
// If there is none, Find returns all pitfalls whose name, symptom or error text
// contains words, and those with a line of error text that words contains. Case
// and the values of numbers do not matter.
func Find(all []Pitfall, words string) (found []Pitfall) {
	words = fold(words)
	for _, p := range all {
		if p.Name == strings.ReplaceAll(words, " ", "-") {
			return []Pitfall{p}
		}
		if strings.Contains(fold(p.Name+" "+p.See+" "+p.Errors), words) || hasLineOf(words, p.Errors) {
			found = append(found, p)
		}
	}
	return found
}

func hasLineOf(words, text string) bool {
	for line := range strings.Lines(text) {
		if line = fold(line); line != "" && strings.Contains(words, line) {
			return true
		}
	}
	return false
}

var (
	number = regexp.MustCompile(`\d+`)
	offset = regexp.MustCompile(`\+0x[0-9a-f]+`) // behind a function in a profile
)

// fold returns s in lower case, with single spaces, without backquotes and
// offsets, and with 0 for each number.
func fold(s string) string {
	s = offset.ReplaceAllString(s, "")
	s = number.ReplaceAllString(strings.ReplaceAll(s, "`", ""), "0")
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}
