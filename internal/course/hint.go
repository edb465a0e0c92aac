package course

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	// hinted is the line of a failure that names a hint.
	hinted = regexp.MustCompile(`(?m)^Hint: .*README\.md, "(.*)"$`)
	// folded is a hint of a page: its summary and its text.
	folded = regexp.MustCompile(`(?s)<summary>([^<]*)</summary>\n(.*?)\n</details>`)
)

// Hint returns the hint that belongs to a result: the one that the failure
// names, why the test cannot run, where to begin, or what to do next.
func (c *Course) Hint(l *Lesson, r Result) (string, error) {
	switch r.State {
	case Waits:
		return fmt.Sprintf("Begin with the task in %s/README.md, and edit %s. A hint for each message of the test is there, too.",
			l.Exercise(), l.File()), nil
	case Done:
		return fmt.Sprintf("%s is done. Compare yours with the solution: go run . solution %s", l.Exercise(), l.Number()), nil
	}
	named := hinted.FindStringSubmatch(r.Text)
	if named == nil {
		return "The test cannot run:\n\n" + r.Text, nil
	}
	page, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(l.Exercise()), "README.md"))
	if err != nil {
		return "", err
	}
	for _, m := range folded.FindAllStringSubmatch(string(page), -1) {
		if m[1] == named[1] {
			return m[1] + "\n\n" + strings.TrimSpace(m[2]), nil
		}
	}
	return "", fmt.Errorf("%s/README.md has no hint %q", l.Exercise(), named[1])
}
