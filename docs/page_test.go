package docs_test

import (
	"regexp"
	"slices"
	"strings"
)

// A page is a Markdown file, taken apart. Lines count from 1.
type page struct {
	name       string
	lines      []string
	fences     []*fence
	directives []*directive
	spans      []span
	links      []link
	anchors    map[string]bool
	problems   []finding
}

// A fence is a block of code. Its lines[open-1] is the opening line and
// its lines[end-1] the closing one.
type fence struct {
	prefix    string // stands before each line: the indent of a list, "> "
	marker    string // three or more ` or ~
	info      string // what follows the marker: the language and more
	open, end int
	body      []string
	directed  bool
}

// A directive is a comment that says where a fence's body comes from.
type directive struct {
	line   int
	prefix string
	kind   string // code or output
	args   string
	fence  *fence // nil if none follows
}

const container = `^((?:[ \t>]|[-*+][ \t]|\d+[.)][ \t])*)`

var (
	fenceOpen     = regexp.MustCompile(container + "(`{3,}|~{3,})(.*)$")
	commentOpen   = regexp.MustCompile(container + `<!--`)
	directiveLine = regexp.MustCompile(container + `<!--\s*(code|output):\s*(.*?)\s*-->\s*$`)
	directiveLike = regexp.MustCompile(`<!--\s*(code|output):`)
	notContainer  = regexp.MustCompile(`[^ \t>]`)
)

func parsePage(name, text string) *page {
	p := &page{name: name, lines: strings.Split(text, "\n"), anchors: map[string]bool{}}
	prose := slices.Clone(p.lines)
	var pending *directive
	for i := 0; i < len(p.lines); i++ {
		last := i
		if f := p.fenceAt(i); f != nil {
			p.addFence(f, pending)
			pending, last = nil, f.end-1
		} else if commentOpen.MatchString(p.lines[i]) {
			last = p.commentEnd(i)
			pending = p.addDirective(i, last)
		} else if strings.TrimSpace(p.lines[i]) != "" {
			pending = nil
			continue
		}
		clear(prose[i : last+1])
		i = last
	}
	p.parseProse(prose)
	return p
}

func (p *page) text() string { return strings.Join(p.lines, "\n") }

// fenceAt returns the fence that opens at lines[i], or nil.
func (p *page) fenceAt(i int) *fence {
	m := fenceOpen.FindStringSubmatch(p.lines[i])
	if m == nil || m[2][0] == '`' && strings.Contains(m[3], "`") {
		return nil
	}
	f := &fence{prefix: continued(m[1]), marker: m[2], info: m[3], open: i + 1}
	for j, line := range p.lines[i+1:] {
		if f.closes(line) {
			f.end = i + j + 2
			return f
		}
		f.body = append(f.body, f.strip(line))
	}
	return f
}

// continued returns what stands before the lines after the first one of
// a list item or a quote.
func continued(prefix string) string {
	return notContainer.ReplaceAllString(prefix, " ")
}

func (f *fence) closes(line string) bool {
	line = strings.TrimRight(strings.TrimLeft(line, " \t>"), " \t")
	return len(line) >= len(f.marker) && strings.Trim(line, f.marker[:1]) == ""
}

func (f *fence) strip(line string) string {
	rest, ok := strings.CutPrefix(line, f.prefix)
	if !ok {
		rest = strings.TrimLeft(line, " "+f.prefix)
	}
	return rest
}

// language returns the first word of the info string.
func (f *fence) language() string {
	word, _, _ := strings.Cut(strings.TrimSpace(f.info), " ")
	return strings.ToLower(word)
}

// addFence records a fence and ties it to the directive before it. One
// that never ends is only reported: nobody knows what belongs to it.
func (p *page) addFence(f *fence, d *directive) {
	p.fences = append(p.fences, f)
	f.directed = d != nil
	if f.end == 0 {
		f.end = len(p.lines)
		p.problems = append(p.problems, at(f.open, "the fence is never closed; end it with %s", f.marker))
		p.directives = slices.DeleteFunc(p.directives, func(o *directive) bool { return o == d })
	}
	if d != nil {
		d.fence = f
	}
}

// commentEnd returns the index of the line that ends the comment of lines[i].
func (p *page) commentEnd(i int) int {
	for j, line := range p.lines[i:] {
		if strings.Contains(line, "-->") {
			return i + j
		}
	}
	return len(p.lines) - 1
}

// addDirective reads the comment of lines[first] to lines[last]. It
// returns nil if the comment is an ordinary one.
func (p *page) addDirective(first, last int) *directive {
	m := directiveLine.FindStringSubmatch(p.lines[first])
	if m == nil {
		if text := strings.Join(p.lines[first:last+1], "\n"); directiveLike.MatchString(text) {
			p.problems = append(p.problems, notAlone(first+1))
		}
		return nil
	}
	d := &directive{line: first + 1, prefix: continued(m[1]), kind: m[2], args: m[3]}
	p.directives = append(p.directives, d)
	return d
}

func notAlone(line int) finding {
	return at(line, "a directive stands alone on one line; put the whole comment on a line of its own")
}
