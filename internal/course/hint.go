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
// names, or where to begin.
func (c *Course) Hint(l *Lesson, r Result) (string, error) {
	switch r.State {
	case Waits:
		return fmt.Sprintf("Begin with the task in %s/README.md, and edit %s. A hint for each message of the test is there, too.",
			l.Exercise(), l.File()), nil
	case Done:
		return fmt.Sprintf("%s is done. Compare yours with the solution: go run . solution %s", l.Exercise(), l.Number()), nil
	}
	page, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(l.Exercise()), "README.md"))
	if err != nil {
		return "", err
	}
	name := ""
	if m := hinted.FindStringSubmatch(r.Text); m != nil {
		name = m[1]
	} else {
		return "The code does not compile:\n\n" + r.Text, nil
	}
	for _, m := range folded.FindAllStringSubmatch(string(page), -1) {
		if m[1] == name {
			return m[1] + "\n\n" + strings.TrimSpace(m[2]), nil
		}
	}
	return "", fmt.Errorf("%s/README.md has no hint %q", l.Exercise(), name)
}
