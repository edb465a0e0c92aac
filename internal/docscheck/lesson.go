package docscheck

import (
	"regexp"
	"slices"
	"strings"
)

const maxWords, maxArrows = 1300, 11

var (
	// arrow is one of those of sequence diagrams, flowcharts and state diagrams.
	arrow = regexp.MustCompile(`--?>>|--?>|-\.->|==>|--?[x)]`)
	// lessonEnd are the last parts of a lesson.
	lessonEnd = []string{
		"On the wire", "What it costs", "When to use something else", "Summary",
		"Check yourself", "Your turn", "Exercise", "Proof",
	}
)

// checkLesson checks that a lesson is short, has a picture, and names at most
// one test, and once, in each section but Proof. It also checks the last
// headings, if they are fixed.
func (p *page) checkLesson(fixed bool) {
	if n := p.words(); n > maxWords {
		p.problem(1, "a lesson must have at most %d words outside fences, tables and comments, got %d", maxWords, n)
	}
	if !slices.ContainsFunc(p.fences, func(f *fence) bool { return f.kind == "mermaid" }) {
		p.problem(1, "a lesson must have a picture, a mermaid fence")
	}
	var sections []string
	named := map[string]int{} // the line of the test that a section names
	for _, h := range p.headings {
		if h.level == 2 {
			sections = append(sections, h.text)
		}
	}
	for _, s := range p.spans {
		if !testName.MatchString(s.text) {
			continue
		}
		section := p.section(s.line)
		if named[section] != 0 && section != "Proof" {
			p.problem(s.line, "%s: the section names a test in line %d already; list this one under Proof", s.text, named[section])
		}
		named[section] = s.line
	}
	if n := len(sections) - len(lessonEnd); fixed && (n < 1 || !slices.Equal(sections[n:], lessonEnd)) {
		p.problem(1, "a lesson must end with the sections %s", strings.Join(lessonEnd, ", "))
	}
}

// words counts the words outside fences, tables and comments.
func (p *page) words() (n int) {
	fenced := false
	for _, line := range p.lines {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced, strings.HasPrefix(line, "|"), strings.HasPrefix(line, "<!--"):
		default:
			n += len(strings.Fields(line))
		}
	}
	return n
}

// section returns the heading of the section of level 2 that a line is in.
func (p *page) section(line int) (text string) {
	for _, h := range p.headings {
		if h.level <= 2 && h.line <= line {
			text = h.text
		}
	}
	return text
}

// checkDiagram checks that a picture is small, and names a test that exists.
func (r *repository) checkDiagram(p *page, f *fence) {
	if n := len(arrow.FindAllString(strings.Join(f.body, "\n"), -1)); n > maxArrows {
		p.problem(f.line, "a diagram must have at most %d arrows, got %d", maxArrows, n)
	}
	test, ok := strings.CutPrefix(f.directive, "diagram: ")
	switch {
	case !ok && !f.generated:
		p.problem(f.line, "write <!-- diagram: TestName --> above it, the test that shows what it says, "+
			"or <!-- diagram: none (reason) -->")
		return
	case !ok || reason.MatchString(test):
		return
	}
	if err := r.checkTestName(chapterName.FindString(p.name), test); err != nil {
		p.problem(f.line, "%s: %v", test, err)
	}
}
