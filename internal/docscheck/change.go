package docscheck

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Change is an edit that a page shows, and of which the page says what a
// test does because of it.
type Change struct {
	Page    string            // the path from the root, with slashes
	Line    int               // of the fence
	Before  map[string][]byte // the test file with the test that the reader pastes
	After   map[string][]byte // the files after the edit, with those of Before
	Folder  string            // the package of the test
	Test    string
	Passes  bool     // the edit makes the test pass; otherwise the edit makes it fail
	Printed []string // lines that the failing test prints, in this order
}

// Changes returns the changes of all pages below root, in the order of the
// pages, or an error if one of them does not apply. [Check] reports all that
// do not apply.
func Changes(root string) ([]*Change, error) {
	r, err := readRepository(root)
	if err != nil {
		return nil, err
	}
	var all []*Change
	for _, name := range slices.Sorted(maps.Keys(r.pages)) {
		changes, problems := r.changes(r.pages[name])
		if len(problems) > 0 {
			return nil, errors.New(problems[0].String())
		}
		all = append(all, changes...)
	}
	return all, nil
}

var (
	// changeArgs are the file, the verb, the test and its folder.
	changeArgs = regexp.MustCompile(`^change: (\S+) (?:(breaks|passes) (Test\w+)(?: in (\S+))?|with the next)$`)
	testDecl   = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

func (f *fence) isChange() bool { return strings.HasPrefix(f.directive, "change: ") }

// pasted returns the file to which the reader appends the fence, and the name
// of the test in it. It returns two empty strings if the fence is no such test.
func (f *fence) pasted() (file, test string) {
	if file, ok := strings.CutPrefix(f.directive, "paste: "); ok {
		if m := testDecl.FindStringSubmatch(strings.Join(f.body, "\n")); m != nil {
			return file, m[1]
		}
	}
	return "", ""
}

// changes returns the changes that a page shows, and what is wrong with them.
func (r *repository) changes(p *page) (all []*Change, problems []Problem) {
	pasted := map[string]map[string][]byte{} // by test
	var next *Change                         // has the edits that belong to the next change
	for _, f := range p.fences {
		if err := r.addChange(p, f, pasted, &next, &all); err != nil {
			problems = append(problems, Problem{p.name, f.line, err.Error()})
		}
	}
	if next != nil {
		problems = append(problems, Problem{p.name, next.Line, "no change follows"})
	}
	return all, problems
}

func (r *repository) addChange(
	p *page, f *fence, pasted map[string]map[string][]byte, next **Change, all *[]*Change,
) error {
	if file, test := f.pasted(); file != "" {
		lines, err := r.lines(file)
		if err != nil {
			return err
		}
		pasted[test] = map[string][]byte{file: join(slices.Concat(lines, []string{""}, f.body))}
		return nil
	}
	if test, ok := strings.CutPrefix(f.directive, "printed: "); ok && f.kind == "text" {
		if n := len(*all) - 1; n < 0 || (*all)[n].Test != test || (*all)[n].Passes {
			return fmt.Errorf("the change above does not break %s", test)
		}
		(*all)[len(*all)-1].Printed = f.body
		return nil
	}
	if !f.isChange() || f.kind != "diff" {
		return nil
	}
	m := changeArgs.FindStringSubmatch(f.directive)
	if m == nil {
		return fmt.Errorf("%s: write change: path breaks TestName, change: path passes TestName, each with "+
			"\"in folder\" if the folder is another, or change: path with the next", f.directive)
	}
	c := *next
	if *next = nil; c == nil {
		c = &Change{Page: p.name, After: map[string][]byte{}}
	}
	c.Line = f.line
	lines, err := r.lines(m[1])
	if err != nil {
		return err
	}
	if edited := c.After[m[1]]; edited != nil { // by the fence before, with the next
		lines = strings.Split(strings.TrimSuffix(string(edited), "\n"), "\n")
	}
	if lines, err = Apply(lines, f.body); err != nil {
		return fmt.Errorf("%s: %w", m[1], err)
	}
	c.After[m[1]] = join(lines)
	if m[2] == "" {
		*next = c
		return nil
	}
	c.Test, c.Folder, c.Passes, c.Before = m[3], cmp.Or(m[4], path.Dir(m[1])), m[2] == "passes", pasted[m[3]]
	if c.Passes && c.Before == nil {
		return fmt.Errorf("no paste fence above declares %s", c.Test)
	}
	if !slices.ContainsFunc(r.tests, func(t test) bool { return t.name == c.Test && path.Dir(t.file) == c.Folder }) {
		return fmt.Errorf("%s has no test %s", c.Folder, c.Test)
	}
	maps.Copy(c.After, c.Before)
	*all = append(*all, c)
	return nil
}

func join(lines []string) []byte { return []byte(strings.Join(lines, "\n") + "\n") }

// Apply edits lines as a diff says, whose lines begin with +, - or neither.
// When it looks for the lines without +, it ignores indents. These lines must
// stand together, and once, in lines.
func Apply(lines, diff []string) ([]string, error) {
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
