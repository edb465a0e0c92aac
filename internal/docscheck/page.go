package docscheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A page is a parsed Markdown file. Lines count from 1.
type page struct {
	name       string
	source     string
	lines      []string
	fences     []*fence
	spans      []span
	links      []*link
	headings   []heading
	anchors    []string       // of the headings
	directives map[int]string // those that no fence has followed yet, by line
	generated  int            // the line of <!-- generated: -->, 0 outside
	problems   []Problem
}

// A heading is "## text" if its level is 2.
type heading struct {
	line, level int
	text        string
}

// A fence is a block of code. Its body begins below its line.
type fence struct {
	line      int
	kind      string // the word after the backquotes
	body      []string
	directive string // such as "code: path Name", or ""
	generated bool   // a test writes it
}

// A span is inline code.
type span struct {
	line   int
	text   string
	linked bool // it is in the text of a link
}

// A link is a link or an image.
type link struct {
	line   int
	target string
	code   string // the inline code that is its whole text, or ""
	text   string
	title  string // behind the target, in quotes
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()

func parsePage(name, source string) *page {
	p := &page{name: name, source: source, lines: strings.Split(source, "\n"), directives: map[int]string{}}
	root := markdown.Parse(text.NewReader([]byte(source)))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			p.add(p.lineOf(max(n.Pos(), 0)), n)
		}
		return ast.WalkContinue, nil
	})
	for line := range p.directives {
		p.problem(line, "no fence follows; write an empty one on the next lines, ```go and ```")
	}
	if p.generated > 0 {
		p.problem(p.generated, "the section has no end; write <!-- end --> below it")
	}
	return p
}

func (p *page) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.name, line, fmt.Sprintf(format, args...)})
}

func (p *page) lineOf(offset int) int { return 1 + strings.Count(p.source[:offset], "\n") }

var brokenLink = regexp.MustCompile(`\][(\[]`)

// add records what is checked later, and rejects what no page needs.
func (p *page) add(line int, n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		p.addHeading(line, n)
	case *ast.FencedCodeBlock:
		p.addFence(line, n.Lines().Len())
	case *ast.CodeBlock:
		p.problem(line, "indented code; write a fence: ```text")
	case *ast.HTMLBlock:
		p.addHTML(line, n.Lines().Len())
	case *ast.RawHTML:
		if tag := string(n.Segments.Value([]byte(p.source))); tag != "<br>" {
			p.problem(line, "%s within a line; only <br> may stand there, "+
				"other tags and comments stand on lines of their own", tag)
		}
	case *ast.LinkReferenceDefinition:
		p.problem(line, "a reference link; write [text](path) in the sentence")
	case *ast.AutoLink:
		p.problem(line, "a link without a text; write [text](%s)", n.URL([]byte(p.source)))
	case *ast.Link:
		p.links = append(p.links, &link{line: line, target: string(n.Destination), text: p.plain(n), title: string(n.Title)})
	case *ast.Image:
		p.links = append(p.links, &link{line: line, target: string(n.Destination)})
	case *ast.CodeSpan:
		parent, linked := n.Parent().(*ast.Link)
		p.spans = append(p.spans, span{line, p.plain(n), linked})
		if linked && parent.ChildCount() == 1 {
			p.links[len(p.links)-1].code = p.plain(n)
		}
	case *ast.Text:
		if !n.IsRaw() && brokenLink.MatchString(p.source[n.Segment.Start:n.Segment.Stop]) {
			p.problem(line, "a link without a target or with a blank in it; write [text](path)")
		}
	}
}

// plain returns the text of a node without its markup.
func (p *page) plain(n ast.Node) string {
	var s strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			s.WriteString(p.source[t.Segment.Start:t.Segment.Stop])
			if strings.HasPrefix(p.source[t.Segment.Stop:], "\n") {
				s.WriteByte(' ')
			}
		} else {
			s.WriteString(p.plain(c))
		}
	}
	return strings.TrimSpace(s.String())
}

// addHeading records the anchor that GitHub gives a heading: in lower case,
// with hyphens for blanks, without punctuation.
func (p *page) addHeading(line int, n *ast.Heading) {
	if !strings.HasPrefix(p.lines[line-1], "#") {
		p.problem(line, "an underlined heading; write ## before the text")
	}
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, p.plain(n))
	p.headings = append(p.headings, heading{line, n.Level, p.plain(n)})
	for n, base := 1, anchor; slices.Contains(p.anchors, anchor); n++ {
		anchor = fmt.Sprintf("%s-%d", base, n)
	}
	p.anchors = append(p.anchors, anchor)
}

// kinds are the words that may follow the backquotes of a fence.
var kinds = []string{"text", "go", "proto", "sh", "console", "diff", "mermaid", "yaml", "json"}

func (p *page) addFence(line, size int) {
	kind := strings.TrimLeft(p.lines[line-1], "`")
	marker := strings.TrimSuffix(p.lines[line-1], kind)
	end := line + size // lines[end] closes the fence
	switch {
	case marker == "":
		p.problem(line, "a fence must begin with ``` in the first column, outside lists and quotes")
		return
	case end >= len(p.lines) || p.lines[end] != marker:
		p.problem(line, "the fence has no end; write %s on a line of its own", marker)
		return
	case !slices.Contains(kinds, kind):
		p.problem(line, "%q is no kind of fence; write %s and one of %s", kind, marker, strings.Join(kinds, ", "))
	}
	p.fences = append(p.fences, &fence{line, kind, p.lines[line:end], p.directives[line-1], p.generated > 0})
	delete(p.directives, line-1)
}

var html = regexp.MustCompile(`^(?:<!-- (code|output|change|diagram|generated|paste|printed): (.+) -->|<!-- end -->|` +
	`(?:\s*(?:<details>|<summary>[^<]*</summary>|</details>))+)$`)

func (p *page) addHTML(line, size int) {
	for i, text := range p.lines[line-1 : line-1+size] {
		m := html.FindStringSubmatch(text)
		switch {
		case m == nil:
			p.problem(line+i, "cannot read this HTML; write a directive, <details>, <summary>...</summary> or </details> "+
				"on a line of its own, and a blank line between tags and text")
			return
		case m[1] == "generated":
			p.generated = line + i
		case m[1] != "":
			p.directives[line+i] = m[1] + ": " + m[2]
		case text == "<!-- end -->":
			p.generated = 0
		}
	}
}
