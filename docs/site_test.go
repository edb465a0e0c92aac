package docs_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A site is the repository as its pages see it. Names are slash-separated
// and relative to the root.
type site struct {
	fsys  fs.FS
	pages []string   // every Markdown page
	tests []testFunc // every test, example, benchmark and fuzz target

	pageCache map[string]*page
	goCache   map[string]*goFile
}

// A finding is something in a page to mend, and its line from 1.
type finding struct {
	line int
	text string
}

func at(line int, format string, args ...any) finding {
	return finding{line, fmt.Sprintf(format, args...)}
}

func newSite(fsys fs.FS) (*site, error) {
	s := &site{fsys: fsys, pageCache: map[string]*page{}, goCache: map[string]*goFile{}}
	return s, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored(d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular() && path.Ext(name) == ".md":
			s.pages = append(s.pages, name)
		case d.Type().IsRegular() && strings.HasSuffix(name, "_test.go"):
			return s.addTests(name)
		}
		return nil
	})
}

func ignored(dir string) bool {
	hidden := strings.HasPrefix(dir, ".") && dir != "."
	return hidden || dir == "testdata" || dir == "node_modules"
}

// check returns what is wrong with a page, as "page:line: what".
func (s *site) check(name string) []string {
	p, err := s.page(name)
	if err != nil {
		return []string{err.Error()}
	}
	found := slices.Concat(p.problems,
		s.checkFences(p), s.checkLinks(p), s.checkTestNames(p), s.checkCommands(p))
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(a.line, b.line) })
	var problems []string
	for _, f := range found {
		problems = append(problems, fmt.Sprintf("%s:%d: %s", name, f.line, f.text))
	}
	return problems
}

func (s *site) page(name string) (*page, error) {
	if p, ok := s.pageCache[name]; ok {
		return p, nil
	}
	text, err := fs.ReadFile(s.fsys, name)
	if err != nil {
		return nil, err
	}
	p := parsePage(name, string(text))
	s.pageCache[name] = p
	return p, nil
}

// lines returns the lines of a text file.
func (s *site) lines(name string) ([]string, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s: write the path from the root of the repository", name)
	}
	text, err := fs.ReadFile(s.fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read; write the path of a file, "+
			"from the root of the repository", name)
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n"), nil
}

func (s *site) exists(name string) bool {
	_, err := fs.Stat(s.fsys, name)
	return err == nil
}

func (s *site) isDir(name string) bool {
	info, err := fs.Stat(s.fsys, name)
	return err == nil && info.IsDir()
}

// near lists the names that the writer may have meant.
func near(names []string, want string) string {
	var like []string
	for _, name := range names {
		a, b := strings.ToLower(lastWord(name)), strings.ToLower(lastWord(want))
		if strings.Contains(a, b) || strings.Contains(b, a) {
			like = append(like, name)
		}
	}
	if len(like) == 0 {
		like = names
	}
	slices.Sort(like)
	like = slices.Compact(like)
	if len(like) > 8 {
		like = append(like[:8], "...")
	}
	return strings.Join(like, ", ")
}

// lastWord returns the Append of Log.Append.
func lastWord(name string) string {
	return name[strings.LastIndex(name, ".")+1:]
}
