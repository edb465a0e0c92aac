package docscheck

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	chapterName = regexp.MustCompile(`^\d\d-[^/]+`)
	fileName    = regexp.MustCompile(`^[\w./-]+\.(?:go|proto|md|mod|ya?ml)$|^(?:[\w./-]+/)?testdata/[\w./-]+$`)
	goCommand   = regexp.MustCompile(`\bgo (?:run|test) `)
)

// checkSpan checks what inline code names: a test, a file or a command.
func (r *repository) checkSpan(p *page, s span) {
	name, _, _ := strings.Cut(s.text, "/") // without the subtest
	var err error
	switch {
	case testName.MatchString(name):
		err = r.checkTestName(chapterName.FindString(p.name), name)
	case fileName.MatchString(s.text) && !s.linked:
		err = r.checkFileName(p.name, s.text)
	case goCommand.MatchString(s.text):
		err = r.checkCommands(s.text)
	}
	if err != nil {
		p.problem(s.line, "`%s`: %v", s.text, err)
	}
}

// checkTestName checks that a test exists, for a page of a chapter in that
// chapter or in the code that all chapters share.
func (r *repository) checkTestName(chapter, name string) error {
	for _, t := range r.tests {
		top, _, _ := strings.Cut(t.file, "/")
		if t.name == name && (chapter == "" || slices.Contains([]string{chapter, "internal", "docs"}, top)) {
			return nil
		}
	}
	return errors.New("there is no such test; a page of a chapter can name those of the chapter, internal and docs")
}

// checkFileName checks that a file exists: from the root of the repository,
// below the folder of a chapter's page, or anywhere for other pages.
func (r *repository) checkFileName(page, name string) error {
	folder := ""
	if chapterName.MatchString(page) {
		folder = path.Dir(page) + "/"
	}
	if !r.exists(name) && !slices.ContainsFunc(r.files, func(file string) bool {
		return strings.HasPrefix(file, folder) && strings.HasSuffix(file, "/"+name)
	}) {
		return fmt.Errorf("no such file; write the path of one, or <name>%s for any", path.Ext(name))
	}
	return nil
}

var symbolName = regexp.MustCompile(`^(?:\w+\.)?\w+$`)

// checkLink checks where a link leads: to a file, to a heading, or to the
// declaration that its text names. It does not ask the web.
func (r *repository) checkLink(p *page, l *link) {
	if strings.HasPrefix(l.target, "https://") {
		return
	}
	target, anchor, _ := strings.Cut(l.target, "#")
	file := p.name
	if target != "" {
		file = path.Join(path.Dir(p.name), target)
	}
	known := r.declared[file]
	_, declares := known[strings.TrimPrefix(l.code, path.Base(path.Dir(file))+".")]
	switch {
	case l.target == "" || l.target[0] == '/' || !r.exists(file):
		p.problem(l.line, "link %q: there is no %s; write https://... or a path relative to this page", l.target, file)
	case anchor != "" && r.pages[file] == nil:
		p.problem(l.line, "link %q: only headings of pages have anchors", l.target)
	case anchor != "" && !slices.Contains(r.pages[file].anchors, anchor):
		p.problem(l.line, "link %q: there is no such heading; write one of #%s", l.target,
			strings.Join(r.pages[file].anchors, ", #"))
	case known != nil && symbolName.MatchString(l.code) && !declares:
		p.problem(l.line, "link %q: the file does not declare %s; link to the one that does", l.target, l.code)
	}
}
