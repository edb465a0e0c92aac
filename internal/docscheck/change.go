package docscheck

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Change is an edit that a page shows, and of which the page says that a
// test fails because of it.
type Change struct {
	Page    string // the path from the root, with slashes
	Line    int    // of the fence
	File    string // the file to edit
	Content []byte // the file after the edit
	Folder  string // the package of the test
	Test    string
}

// Changes returns the changes of all pages below root, in the order of the
// pages. [Check] reports those that do not apply.
func Changes(root string) ([]Change, error) {
	r, err := readRepository(root)
	if err != nil {
		return nil, err
	}
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(r.pages)) {
		for _, f := range r.pages[name].fences {
			if !f.isChange() {
				continue
			}
			c, err := r.change(name, f)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, f.line, err)
			}
			all = append(all, *c)
		}
	}
	return all, nil
}

// changeArgs are the file, the test and the folder of the test.
var changeArgs = regexp.MustCompile(`^change: (\S+) breaks (Test\w+)(?: in (\S+))?$`)

func (f *fence) isChange() bool { return strings.HasPrefix(f.directive, "change: ") }

// change applies a diff fence to the file that its directive names.
func (r *repository) change(page string, f *fence) (*Change, error) {
	m := changeArgs.FindStringSubmatch(f.directive)
	if m == nil {
		return nil, fmt.Errorf("%s: write change: path breaks TestName, or change: path breaks TestName in folder", f.directive)
	}
	c := &Change{Page: page, Line: f.line, File: m[1], Test: m[2], Folder: cmp.Or(m[3], path.Dir(m[1]))}
	if !slices.ContainsFunc(r.tests, func(t test) bool { return t.name == c.Test && path.Dir(t.file) == c.Folder }) {
		return nil, fmt.Errorf("%s has no test %s", c.Folder, c.Test)
	}
	lines, err := r.lines(c.File)
	if err != nil {
		return nil, err
	}
	if lines, err = apply(lines, f.body); err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	c.Content = []byte(strings.Join(lines, "\n") + "\n")
	return c, nil
}

// apply edits lines as a diff says. It ignores the indent of the diff.
func apply(lines, diff []string) ([]string, error) {
	var before []string
	for _, line := range diff {
		if !strings.HasPrefix(line, "+") {
			before = append(before, strings.TrimSpace(strings.TrimPrefix(line, "-")))
		}
	}
	at := -1
	for i := range len(lines) - len(before) + 1 {
		if slices.EqualFunc(lines[i:i+len(before)], before, func(line, b string) bool { return strings.TrimSpace(line) == b }) {
			if at >= 0 {
				return nil, fmt.Errorf("the lines of the diff stand there twice, at %d and at %d; add lines around them", at+1, i+1)
			}
			at = i
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("the lines of the diff without + do not stand there: %q", before)
	}
	var edited []string
	next := at
	for _, line := range diff {
		switch {
		case strings.HasPrefix(line, "+"):
			edited = append(edited, line[1:])
		case strings.HasPrefix(line, "-"):
			next++
		default:
			edited = append(edited, lines[next])
			next++
		}
	}
	return slices.Concat(lines[:at], edited, lines[next:]), nil
}
