package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

var (
	atxHeading   = regexp.MustCompile(`^[ >]*#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)
	setextLine   = regexp.MustCompile(`^ {0,3}(?:=+|-{2,})[ \t]*$`)
	linkedText   = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	htmlTag      = regexp.MustCompile(`</?\w[^<>]*>`)
	emphasisLine = regexp.MustCompile(`(^|[^\pL\pN_])_+|_+($|[^\pL\pN_])`)
)

// addHeadings gives each heading the anchor that the code host gives it.
func (p *page) addHeadings(prose []string) {
	seen := map[string]int{}
	for i, line := range prose {
		heading := ""
		if m := atxHeading.FindStringSubmatch(line); m != nil {
			heading = m[1]
		} else if isSetext(prose, i) {
			heading = line
		} else {
			continue
		}
		anchor := slug(heading)
		n := seen[anchor]
		seen[anchor]++
		if n > 0 {
			anchor = fmt.Sprintf("%s-%d", anchor, n)
		}
		p.anchors[anchor] = true
	}
}

// isSetext reports whether prose[i] is a heading by the line below it.
func isSetext(prose []string, i int) bool {
	return i+1 < len(prose) && setextLine.MatchString(prose[i+1]) &&
		prose[i] != ""
}

// slug returns the anchor of a heading by the rules of GitHub: the text
// without markup, in lower case, punctuation dropped, spaces as hyphens.
func slug(heading string) string {
	heading = linkedText.ReplaceAllString(heading, "$1")
	var text strings.Builder
	for i, part := range strings.Split(heading, "`") {
		if outsideCode := i%2 == 0; outsideCode {
			part = htmlTag.ReplaceAllString(part, "")
			part = emphasisLine.ReplaceAllString(part, "$1$2")
		}
		text.WriteString(part)
	}
	return strings.Map(slugRune, strings.TrimSpace(text.String()))
}

func slugRune(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-', unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Pc):
		return unicode.ToLower(r)
	default:
		return -1
	}
}
