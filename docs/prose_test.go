package docs_test

import (
	"cmp"
	"regexp"
	"strings"
)

// A span is inline code.
type span struct {
	line int
	text string
}

// A link leads somewhere. The target of a reference is checked where it
// is defined, so of its uses only the text is left to check.
type link struct {
	line      int
	text      string
	target    string
	reference bool
}

var (
	blockStart = regexp.MustCompile(`^[ \t>]*(?:#|\||[-*+] |\d+[.)] )`)
	definition = regexp.MustCompile(`^ {0,3}\[([^\]]+)\]:\s+<?([^\s>]+)>?(?:\s.*)?$`)
	linkLike   = regexp.MustCompile(`\[((?:[^\[\]]|\[[^\[\]]*\])*)\]` +
		`(?:\(\s*(<[^<>\n]*>|(?:[^\s()]|\([^\s()]*\))*)(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)|\[([^\[\]]*)\])?`)
	htmlLink   = regexp.MustCompile(`<\w[^<>]*\s(?:href|src)="([^"]*)"`)
	htmlAnchor = regexp.MustCompile(`<\w[^<>]*\s(?:id|name)="([^"]*)"`)
	autolink   = regexp.MustCompile(`<(https?:[^<>\s]*)>`)
)

// parseProse reads what is left of the lines without fences and comments.
func (p *page) parseProse(prose []string) {
	p.addHeadings(prose)
	references := p.addDefinitions(prose)
	for first := 0; first < len(prose); {
		last := first + 1
		for last < len(prose) && prose[last] != "" && !blockStart.MatchString(prose[last]) {
			last++
		}
		b := newBlock(first+1, strings.Join(prose[first:last], "\n"))
		p.addBlock(b, references)
		first = last
	}
}

// addDefinitions takes "[label]: target" lines out of prose.
func (p *page) addDefinitions(prose []string) map[string]string {
	references := map[string]string{}
	for i, line := range prose {
		m := definition.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[1], "^") {
			continue
		}
		references[label(m[1])] = m[2]
		p.links = append(p.links, link{line: i + 1, target: m[2]})
		prose[i] = ""
	}
	return references
}

// label folds the name of a reference as Markdown does.
func label(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// A block is a piece of prose that no markup crosses. Its masked text
// has the same length, without inline code and escaped characters.
type block struct {
	line   int
	text   string
	masked string
	spans  []span
}

func newBlock(line int, text string) *block {
	if strings.HasPrefix(strings.TrimSpace(text), "|") {
		text = strings.ReplaceAll(text, `\|`, "|")
	}
	b := &block{line: line, text: text}
	masked := []byte(text)
	for i := 0; i < len(text); {
		end := i + 1
		if text[i] == '\\' {
			end = min(i+2, len(text))
		} else if n := ticks(text[i:]); n > 0 {
			end = b.addSpan(i, n)
		}
		if end > i+1 {
			copy(masked[i:end], strings.Repeat("x", end-i))
		}
		i = end
	}
	b.masked = string(masked)
	return b
}

// addSpan reads inline code that opens at start with n backticks, and
// returns where it ends. Without a closing run the backticks are text.
func (b *block) addSpan(start, n int) int {
	for i := start + n; i < len(b.text); {
		run := ticks(b.text[i:])
		if run == n {
			code := strings.Join(strings.Fields(b.text[start+n:i]), " ")
			b.spans = append(b.spans, span{b.lineOf(start), code})
			return i + n
		}
		i += max(run, 1)
	}
	return start + n
}

func ticks(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }

func (b *block) lineOf(offset int) int {
	return b.line + strings.Count(b.text[:offset], "\n")
}

func (p *page) addBlock(b *block, references map[string]string) {
	p.spans = append(p.spans, b.spans...)
	p.addLinks(b, 0, len(b.text), references)
	for _, pattern := range []*regexp.Regexp{htmlLink, autolink} {
		for _, m := range pattern.FindAllStringSubmatchIndex(b.masked, -1) {
			p.links = append(p.links, link{line: b.lineOf(m[0]), target: b.text[m[2]:m[3]]})
		}
	}
	for _, m := range htmlAnchor.FindAllStringSubmatch(b.masked, -1) {
		p.anchors[m[1]] = true
	}
	if m := directiveLike.FindStringIndex(b.masked); m != nil {
		p.problems = append(p.problems, notAlone(b.lineOf(m[0])))
	}
}

// addLinks reads the links between two offsets, also those of images in
// the text of a link.
func (p *page) addLinks(b *block, from, to int, references map[string]string) {
	for _, m := range linkLike.FindAllStringSubmatchIndex(b.masked[from:to], -1) {
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		p.addLinks(b, m[2], m[3], references)
		p.addLink(b, m, references)
	}
}

// addLink records the link of a match: its text is b.text[m[2]:m[3]],
// then comes a target, a reference or neither.
func (p *page) addLink(b *block, m []int, references map[string]string) {
	l := link{line: b.lineOf(m[0]), text: b.text[m[2]:m[3]]}
	switch {
	case m[4] >= 0:
		l.target = strings.Trim(b.text[m[4]:m[5]], "<>")
		p.links = append(p.links, l)
	case m[6] >= 0:
		p.addReference(l, cmp.Or(b.text[m[6]:m[7]], l.text), references, true)
	case strings.HasPrefix(b.masked[m[1]:], "("):
		p.problems = append(p.problems, at(l.line,
			"[%s] has a target with a space or no end; write [text](path)", l.text))
	default:
		p.addReference(l, l.text, references, false)
	}
}

// addReference follows [text][name]. A lone [name] that nothing defines
// is ordinary text, unless it must be a link.
func (p *page) addReference(l link, name string, references map[string]string, must bool) {
	target, ok := references[label(name)]
	if ok {
		l.target, l.reference = target, true
		p.links = append(p.links, l)
	} else if must && !strings.HasPrefix(name, "^") {
		p.problems = append(p.problems, at(l.line,
			"nothing defines the reference [%s]; add a line [%s]: path", name, name))
	}
}
