// Package docscheck compares the Markdown pages of the repository with its
// code: snippets, printed outputs, commands, links, and the names of tests
// and files. docs/writing-pages.md says what a page may contain.
package docscheck

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Options change what [Check] does. The zero value checks everything but the
// form of lessons, and writes nothing.
type Options struct {
	Update bool          // rewrite the snippets, outputs and versions that differ
	Short  bool          // do not run the commands of console fences
	Limit  time.Duration // for each of these commands; 0 means a minute

	// Lessons are the pages that must have the form of a lesson. Topics are
	// lessons whose headings may differ.
	Lessons, Topics []string
}

// A Problem is something to fix in a page.
type Problem struct {
	Page string // the path from the root, with slashes
	Line int    // counts from 1
	Text string // what is wrong, and what to write instead
}

func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.Page, p.Line, p.Text) }

const runUpdate = "run UPDATE=1 go test ./docs"

// Check returns the problems of all pages below root, the folder of go.mod.
// A page is a file whose name ends in .md, except in hidden folders and in
// folders called testdata. Unless o.Short is set, Check runs the commands
// of console fences whose output a page shows, two at a time. It returns an error if it cannot read or write a file, or if a Go
// file does not parse.
func Check(root string, o Options) ([]Problem, error) {
	r, err := readRepository(root)
	if err != nil {
		return nil, err
	}
	if !o.Short {
		r.runConsoles(cmp.Or(o.Limit, time.Minute))
	}
	var all []Problem
	for _, name := range slices.Sorted(maps.Keys(r.pages)) {
		p := r.pages[name]
		if text := r.updated(p); o.Update && text != p.source {
			if err := os.WriteFile(filepath.Join(root, p.name), []byte(text), 0o644); err != nil {
				return nil, err
			}
			p = parsePage(p.name, text)
		}
		r.check(p)
		if slices.Contains(o.Lessons, name) || slices.Contains(o.Topics, name) {
			p.checkLesson(slices.Contains(o.Lessons, name))
		}
		slices.SortStableFunc(p.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		all = append(all, p.problems...)
	}
	return all, nil
}

// A repository is what the pages are compared with. Paths are relative to
// the root and have slashes.
type repository struct {
	fs.FS
	root     string
	files    []string // without those in hidden folders
	pages    map[string]*page
	declared map[string]map[string]declaration // in each Go and proto file
	tests    []test
	outputs  map[string]string                   // of examples, by folder and name
	printed  map[string]func() ([]string, error) // of commands in console fences
	versions map[string]string                   // of Go and grpc-go, from go.mod
}

func readRepository(root string) (*repository, error) {
	r := &repository{
		FS:       os.DirFS(root),
		root:     root,
		pages:    map[string]*page{},
		declared: map[string]map[string]declaration{},
		outputs:  map[string]string{},
		printed:  map[string]func() ([]string, error){},
	}
	return r, fs.WalkDir(r, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		r.files = append(r.files, name)
		return r.addFile(name)
	})
}

// required are the versions that go.mod names.
var required = regexp.MustCompile(`(?s)\ngo (\d+\.\d+).*google\.golang\.org/grpc v(\S+)`)

func (r *repository) addFile(name string) error {
	isSource := slices.Contains([]string{".go", ".proto", ".md", ".mod"}, path.Ext(name))
	if !isSource || strings.Contains("/"+name, "/testdata/") {
		return nil
	}
	data, err := fs.ReadFile(r, name)
	text := string(data)
	switch {
	case err != nil:
		return err
	case path.Ext(name) == ".go":
		return r.addGoFile(name, text)
	case path.Ext(name) == ".proto":
		r.declared[name] = protoDeclared(strings.Split(text, "\n"))
	case path.Ext(name) == ".md":
		p := parsePage(name, text)
		r.pages[name] = p
		for _, f := range p.fences {
			if file, name := f.pasted(); file != "" {
				r.tests = append(r.tests, test{name, file})
			}
		}
	case name == "go.mod":
		if m := required.FindStringSubmatch(text); m != nil {
			r.versions = map[string]string{"Go": m[1], "grpc-go": m[2]}
		}
	}
	return nil
}

func (r *repository) exists(name string) bool {
	_, err := fs.Stat(r, name)
	return err == nil
}

func (r *repository) lines(name string) ([]string, error) {
	text, err := fs.ReadFile(r, name)
	if err != nil {
		return nil, fmt.Errorf("there is no file %s; write its path from the root of the repository", name)
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n"), nil
}

func (r *repository) check(p *page) {
	for _, f := range p.fences {
		r.checkFence(p, f)
	}
	_, problems := r.changes(p)
	p.problems = append(p.problems, problems...)
	for _, s := range p.spans {
		r.checkSpan(p, s)
	}
	for _, l := range p.links {
		r.checkLink(p, l)
		r.checkMeasured(p, l)
	}
	for _, m := range version.FindAllStringSubmatchIndex(p.source, -1) {
		since, of, got := p.source[m[2]:m[3]], p.source[m[4]:m[5]], p.source[m[6]:m[7]]
		if want := r.versions[of]; since == "" && !strings.HasPrefix(got+".", want+".") && p.name != history {
			p.problem(p.lineOf(m[0]), "go.mod requires %s %s, not %s; %s, or write \"since %s\" about the past",
				of, want, got, runUpdate, p.source[m[4]:m[7]])
		}
	}
}

var version = regexp.MustCompile(`((?i:since\s)?)\b(Go|grpc-go)(?:\s|/blob/|/tree/)v?(\d+\.\d+(?:\.\d+)?)`)

// history is the page that speaks of earlier versions.
const history = "CHANGELOG.md"

// updated returns the text of a page with the snippets, outputs, numbers
// and versions of grpc-go that it should have.
func (r *repository) updated(p *page) string {
	lines := slices.Clone(p.lines)
	for _, f := range slices.Backward(p.fences) {
		hasGap := f.kind == "console" && slices.Contains(f.body, "...") // only the writer can choose it
		if want, err := r.want(f); err == nil && !hasGap {
			lines = slices.Replace(lines, f.line, f.line+len(f.body), want...)
		}
	}
	return version.ReplaceAllStringFunc(r.updateMeasured(p, strings.Join(lines, "\n")), func(s string) string {
		m := version.FindStringSubmatch(s)
		if m[1] != "" || m[2] == "Go" || p.name == history {
			return s
		}
		return strings.TrimSuffix(s, m[3]) + r.versions["grpc-go"]
	})
}
