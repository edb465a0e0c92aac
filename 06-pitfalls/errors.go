package pitfalls

import (
	"path"
	"regexp"
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

// FindErrors returns the rows whose text contains words, and those whose text
// words contains. Case and the values of numbers do not matter.
func FindErrors(words string) (found []ErrorText) {
	words = fold(words)
	for _, m := range errorRow.FindAllStringSubmatch(docs.Errors, -1) {
		shows := strings.ReplaceAll(m[1], `\|`, "|")
		if strings.Contains(fold(shows), words) || containsInOrder(words, strings.Split(fold(shows), "...")) {
			help := link.ReplaceAllStringFunc(m[3], func(s string) string {
				target := link.FindStringSubmatch(s)[1]
				if strings.HasPrefix(target, "https:") {
					return target
				}
				return path.Join("docs", target)
			})
			found = append(found, ErrorText{shows, m[2], help})
		}
	}
	return found
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
