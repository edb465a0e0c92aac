package docs_test

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A term is an entry of the glossary.
type term struct {
	name       string // its heading
	anchor     string // of its heading
	pattern    string // a regular expression for the name and what is also written
	everywhere bool   // only the first lesson has to link it
}

// everywhere is the heading of the section whose terms only the first lesson
// has to link.
const everywhere = "Words that are everywhere"

var alsoWritten = regexp.MustCompile(`^\*Also written:\* (.+)\.$`)

// parseGlossary returns the terms of a glossary, the longest first: a term
// is a heading below the title that has no inline code.
func parseGlossary(source string) []term {
	var terms []term
	isEverywhere := false
	for line := range strings.Lines(source) {
		line = strings.TrimSuffix(line, "\n")
		marks, name, _ := strings.Cut(line, " ")
		also := alsoWritten.FindStringSubmatch(line)
		switch {
		case also != nil && len(terms) > 0:
			for form := range strings.SplitSeq(also[1], ", ") {
				terms[len(terms)-1].pattern += "|" + patternOf(form)
			}
		case marks != "##" && marks != "###" || strings.Contains(name, "`"):
		case name == everywhere:
			isEverywhere = true
		default:
			anchor := strings.ReplaceAll(strings.ToLower(name), " ", "-")
			terms = append(terms, term{name, anchor, patternOf(name), isEverywhere})
		}
	}
	slices.SortStableFunc(terms, func(a, b term) int { return len(b.name) - len(a.name) })
	return terms
}

// patternOf matches a form of a term, in the plural too, with any white space
// between its words.
func patternOf(form string) string {
	return strings.Join(strings.Fields(regexp.QuoteMeta(form)), `\s+`) + "s?"
}

// A place is where a page has a term: in a link to the glossary, or in plain
// prose.
type place struct {
	from, to int // offsets in the source
	linked   bool
}

// A lesson is the prose of a page. Both texts are as long as its source, and
// are zero where the source is something else.
type lesson struct {
	prose []byte            // without headings, code, links and generated parts
	links map[string][]byte // the texts of links to the glossary, by anchor
}

// notProse are the parts of a page that a test writes, and the list of tests
// at its end.
var notProse = regexp.MustCompile(`(?s)<!-- generated: .*?<!-- end -->|\n## Proof\n.*`)

func parseLesson(source string) *lesson {
	l := &lesson{prose: make([]byte, len(source)), links: map[string][]byte{}}
	parser := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()
	_ = ast.Walk(parser.Parse(text.NewReader([]byte(source))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		to := l.prose
		switch n := n.(type) {
		case *ast.Heading, *ast.CodeSpan, *ast.Image:
			return ast.WalkSkipChildren, nil
		case *ast.Link:
			page, anchor, _ := strings.Cut(string(n.Destination), "#")
			if entering && path.Base(page) == "glossary.md" {
				if l.links[anchor] == nil {
					l.links[anchor] = make([]byte, len(source))
				}
				_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
					if t, ok := c.(*ast.Text); ok && entering {
						copyText(l.links[anchor], source, t)
					}
					return ast.WalkContinue, nil
				})
			}
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			if entering {
				copyText(to, source, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, span := range notProse.FindAllStringIndex(source, -1) {
		clear(l.prose[span[0]:span[1]])
	}
	return l
}

// copyText copies a text, and the line break and the indent after it.
func copyText(to []byte, source string, t *ast.Text) {
	end := t.Segment.Stop
	if t.SoftLineBreak() {
		end = len(source) - len(strings.TrimLeft(source[end:], " \n"))
	}
	copy(to[t.Segment.Start:end], source[t.Segment.Start:end])
}

// places returns where a page has a term, links and plain prose together, in
// the order of the page. What belongs to a longer term is no place of a
// shorter one, so places removes from the prose what it returns.
func (l *lesson) places(t term) []place {
	re := regexp.MustCompile(`(?i)(?:^|[^\pL\pN_-])(` + t.pattern + `)(?:$|[^\pL\pN_-])`)
	var found []place
	for _, from := range []struct {
		text   []byte
		linked bool
	}{{l.links[t.anchor], true}, {l.prose, false}} {
		for at := 0; at < len(from.text); {
			m := re.FindSubmatchIndex(from.text[at:])
			if m == nil {
				break
			}
			if text := string(from.text[at+m[2] : at+m[3]]); !isName(text) || isName(t.name) {
				found = append(found, place{at + m[2], at + m[3], from.linked})
			}
			at += m[3]
		}
	}
	for _, p := range found {
		if !p.linked {
			copy(l.prose[p.from:p.to], bytes.Repeat([]byte{'_'}, p.to-p.from))
		}
	}
	slices.SortFunc(found, func(a, b place) int { return a.from - b.from })
	return found
}

// isName reports whether a text is a name that looks like a term: HEADERS is
// a frame and not a header, and Windows is a system.
func isName(text string) bool { return text == strings.ToUpper(text) || text == "Windows" }

// linkTerms returns what a lesson must link and does not, and the lesson with
// these links. The name of the lesson is its path from the root; isFirst says
// that it has to link the words that are everywhere, too.
func linkTerms(name, source string, glossary []term, isFirst bool) (problems []string, linked string) {
	l := parseLesson(source)
	glossaryPage, _ := filepath.Rel(path.Dir(name), "docs/glossary.md")
	type missing struct {
		term
		place
	}
	var all []missing
	for _, t := range glossary {
		if at := l.places(t); len(at) > 0 && !at[0].linked && (isFirst || !t.everywhere) {
			all = append(all, missing{t, at[0]})
		}
	}
	slices.SortFunc(all, func(a, b missing) int { return a.from - b.from })
	linked = source
	for _, m := range slices.Backward(all) {
		link := fmt.Sprintf("[%s](%s#%s)", source[m.from:m.to], filepath.ToSlash(glossaryPage), m.anchor)
		linked = linked[:m.from] + link + linked[m.to:]
	}
	for _, m := range all {
		problems = append(problems, fmt.Sprintf("%s:%d: the first %q is no link to its entry in docs/glossary.md; "+
			"run UPDATE=1 go test ./docs", name, 1+strings.Count(source[:m.from], "\n"), source[m.from:m.to]))
	}
	return problems, linked
}
