package pitfalls

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"example.com/streams/docs"
)

// An ErrorText is a row of docs/errors.md.
type ErrorText struct {
	Shows string // what a user sees; "..." stands for any text
	Who   string // caused it
	Help  string // what happened, and what to do
}

var (
	errorRow = regexp.MustCompile("(?m)^\\| `(.+?)` \\| (.+?) \\| (.+) \\|$")
	link     = regexp.MustCompile(`\[[^]]+\]\(([^)#]+)[^)]*\)`)
)

// FindErrors returns the rows whose text contains words, the shortest first,
// and then those whose text words contains, the longest first. Case and the
// values of numbers do not matter.
func FindErrors(words string) []ErrorText {
	words = fold(words)
	var longer, shorter []ErrorText
	for _, e := range errorTexts() {
		switch shows := fold(e.Shows); {
		case strings.Contains(shows, words):
			longer = append(longer, e)
		case containsInOrder(words, strings.Split(shows, "...")):
			shorter = append(shorter, e)
		}
	}
	byLength := func(a, b ErrorText) int { return len(a.Shows) - len(b.Shows) }
	slices.SortStableFunc(longer, byLength)
	slices.SortStableFunc(shorter, func(a, b ErrorText) int { return byLength(b, a) })
	return append(longer, shorter...)
}

// errorTexts returns all rows of docs/errors.md.
func errorTexts() (all []ErrorText) {
	for _, m := range errorRow.FindAllStringSubmatch(docs.Errors, -1) {
		help := link.ReplaceAllStringFunc(m[3], func(s string) string {
			target := link.FindStringSubmatch(s)[1]
			if strings.HasPrefix(target, "https:") {
				return target
			}
			return path.Join("docs", target)
		})
		all = append(all, ErrorText{strings.ReplaceAll(m[1], `\|`, "|"), m[2], help})
	}
	return all
}

// containsInOrder reports whether s contains the parts one after the other.
// A last part that ends in "desc =" stands for a status without a message.
func containsInOrder(s string, parts []string) bool {
	for _, part := range parts {
		_, after, ok := strings.Cut(s, strings.TrimSpace(part))
		if !ok || strings.HasSuffix(part, "desc =") && after != "" {
			return false
		}
		s = after
	}
	return true
}
