package docs_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A testFunc is a test, example, benchmark or fuzz target.
type testFunc struct {
	name   string
	file   string
	syntax *ast.File
}

var (
	testName    = regexp.MustCompile(`^(Test|Example|Benchmark|Fuzz)([A-Z0-9_]\w*)$`)
	chapterName = regexp.MustCompile(`^\d\d-[^/]+`)
)

// addTests records the tests of a file.
func (s *site) addTests(name string) error {
	f, err := s.goFile(name)
	if err != nil {
		return err
	}
	for _, decl := range f.syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && testName.MatchString(fn.Name.Name) {
			s.tests = append(s.tests, testFunc{fn.Name.Name, name, f.syntax})
		}
	}
	return nil
}

// testNames lists the tests of one kind in a folder or file.
func (s *site) testNames(where, kind string) (names []string) {
	for _, t := range s.tests {
		if strings.HasPrefix(t.name, kind) && within(t.file, where) {
			names = append(names, t.name)
		}
	}
	return names
}

// checkTestNames checks that the tests which a page names exist, and for
// a chapter that they are its own or of the code that all chapters share.
func (s *site) checkTestNames(p *page) (found []finding) {
	for _, code := range p.spans {
		name, sub, _ := strings.Cut(code.text, "/")
		m := testName.FindStringSubmatch(name)
		if m == nil || m[2] == "Xxx" {
			continue
		}
		if err := s.checkTest(p.name, name, sub); err != nil {
			found = append(found, at(code.line, "`%s`: %v", code.text, err))
		}
	}
	return found
}

func (s *site) checkTest(page, name, sub string) error {
	var elsewhere string
	for _, t := range s.tests {
		switch {
		case t.name != name:
		case inScope(page, t.file):
			return checkSubtest(t, sub)
		default:
			elsewhere = t.file
		}
	}
	if elsewhere != "" {
		return fmt.Errorf("only %s has it; name a test of %s, internal or docs",
			elsewhere, chapterName.FindString(page))
	}
	return fmt.Errorf("no test file declares it; name the test that shows this")
}

// inScope reports whether a page may name the tests of a file.
func inScope(page, file string) bool {
	chapter := chapterName.FindString(path.Dir(page))
	top, _, _ := strings.Cut(file, "/")
	return chapter == "" || slices.Contains([]string{chapter, "internal", "docs"}, top)
}

// checkSubtest checks that a string in the file of a test names each
// part of the subtest.
func checkSubtest(t testFunc, sub string) error {
	if sub == "" {
		return nil
	}
	known := map[string]bool{}
	for n := range ast.Preorder(t.syntax) {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			known[strings.ReplaceAll(text, " ", "_")] = true
		}
	}
	for part := range strings.SplitSeq(sub, "/") {
		if !known[strings.ReplaceAll(part, " ", "_")] {
			return fmt.Errorf("no string in %s names the subtest %q", t.file, part)
		}
	}
	return nil
}
