package docs_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A source is what a code directive names.
type source struct {
	path     string
	symbols  []string
	patterns []string
	doc      bool // keep the doc comments of the symbols
}

var directiveWord = regexp.MustCompile(`/(?:\\.|[^/\\])+/(?:\s|$)|\S+`)

func parseSource(args string) (source, error) {
	var src source
	for i, word := range directiveWord.FindAllString(args, -1) {
		word = strings.TrimSpace(word)
		pattern := len(word) > 1 && word[0] == '/' && strings.HasSuffix(word, "/")
		switch {
		case i == 0 && !pattern:
			src.path = word
		case pattern:
			src.patterns = append(src.patterns, word[1:len(word)-1])
		case word == "doc" && len(src.symbols) > 0:
			src.doc = true
		default:
			src.symbols = append(src.symbols, word)
		}
	}
	if src.path == "" || len(src.patterns) > 2 {
		return src, fmt.Errorf("code: %s: write a path, then symbols, /from/ or /from/ /to/", args)
	}
	return src, nil
}

// code returns the lines that a code directive names: a file, some of
// its declarations, or the fragment of those that the patterns cut out.
func (s *site) code(args string) ([]string, error) {
	src, err := parseSource(args)
	if err != nil {
		return nil, err
	}
	lines, err := s.lines(src.path)
	if err == nil && len(src.symbols) > 0 {
		lines, err = s.declarations(src, lines)
	}
	if err == nil && len(src.patterns) > 0 {
		lines, err = fragment(lines, src)
	}
	return dedent(lines), err
}

// A declaration takes the lines from first to last, and with its doc
// comment those from doc. They count from 1.
type declaration struct{ doc, first, last int }

func (s *site) declarations(src source, lines []string) ([]string, error) {
	known, err := s.declared(src.path, lines)
	if err != nil {
		return nil, err
	}
	var joined []string
	for i, symbol := range src.symbols {
		d, ok := known[symbol]
		if !ok {
			return nil, fmt.Errorf("%s declares no %s; it has %s", src.path, symbol,
				near(slices.Collect(maps.Keys(known)), symbol))
		}
		if i > 0 {
			joined = append(joined, "")
		}
		first := d.first
		if src.doc {
			first = d.doc
		}
		joined = append(joined, dedent(lines[first-1:d.last])...)
	}
	return joined, nil
}

// declared returns the declarations of a file by symbol.
func (s *site) declared(name string, lines []string) (map[string]declaration, error) {
	switch path.Ext(name) {
	case ".go":
		f, err := s.goFile(name)
		if err != nil {
			return nil, err
		}
		return f.declared, nil
	case ".proto":
		return protoDeclared(lines), nil
	default:
		return nil, fmt.Errorf("%s: only .go and .proto files have symbols; use /from/ /to/", name)
	}
}

// fragment returns the lines from the first that matches the first
// pattern to the next one that matches the last.
func fragment(lines []string, src source) ([]string, error) {
	from, err := matching(lines, src.path, src.patterns[0])
	if err != nil {
		return nil, err
	}
	if len(src.patterns) == 1 {
		return lines[from : from+1], nil
	}
	n, err := matching(lines[from:], src.path, src.patterns[1])
	if err != nil {
		return nil, err
	}
	return lines[from : from+n+1], nil
}

func matching(lines []string, name, pattern string) (int, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return 0, fmt.Errorf("/%s/ is not a pattern: %w", pattern, err)
	}
	i := slices.IndexFunc(lines, re.MatchString)
	if i < 0 {
		return 0, fmt.Errorf("no line of %s matches /%s/ there; write a pattern that does", name, pattern)
	}
	return i, nil
}

// dedent removes the indent that all lines share.
func dedent(lines []string) []string {
	indent, seen := "", false
	for _, line := range lines {
		own := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if own == line {
			continue
		}
		if !seen {
			indent, seen = own, true
		}
		for !strings.HasPrefix(own, indent) {
			indent = indent[:len(indent)-1]
		}
	}
	shifted := make([]string, len(lines))
	for i, line := range lines {
		shifted[i] = strings.TrimPrefix(line, indent)
	}
	return shifted
}
