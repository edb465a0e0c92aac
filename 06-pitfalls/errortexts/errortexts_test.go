package errortexts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// A text is a row of docs/errors.md.
type text struct {
	// shows is what a user sees and pastes into a search. "..." stands for
	// any characters.
	shows string
	// means says who caused the error and what to do, in one or two
	// sentences of Markdown.
	means string
	// pages are links, relative to docs/, by the text of the link.
	pages string
	// produce causes the error and returns what is printed. It runs in no
	// bubble; use [bubble] for one.
	produce func(*testing.T) string
}

// groups are the sections of the page. Each is in a file of its own.
var groups = map[string][]text{
	"statuses":  statuses,
	"transport": transport,
	"proxies":   proxies,
	"setup":     setup,
	"crashes":   crashes,
	"tools":     tools,
	"stacks":    stacks,
}

func TestErrors_AreProducedAsThePageShows(t *testing.T) {
	for name, group := range groups {
		var table strings.Builder
		table.WriteString("| You see | Meaning | Read |\n|---|---|---|\n")
		for _, row := range group {
			shows := strings.ReplaceAll(row.shows, "|", `\|`)
			fmt.Fprintf(&table, "| `%s` | %s | %s |\n", shows, row.means, row.pages)
			t.Run(name+"/"+row.shows, func(t *testing.T) {
				require.Regexp(t, row.pattern(), row.produce(t))
			})
		}
		golden.Section(t, "../../docs/errors.md", name, table.String())
	}
}

// pattern matches the text, with "..." for any characters.
func (row text) pattern() string {
	parts := strings.Split(row.shows, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return "(?s)" + strings.Join(parts, ".*")
}

func TestErrors_AreSortedAndUnique(t *testing.T) {
	seen := map[string]bool{}
	for name, group := range groups {
		require.True(t, slices.IsSortedFunc(group, func(a, b text) int {
			return strings.Compare(strings.ToLower(a.shows), strings.ToLower(b.shows))
		}), "%s: the rows must be sorted", name)
		for _, row := range group {
			require.False(t, seen[row.shows], "%s stands twice", row.shows)
			seen[row.shows] = true
			require.NotEmpty(t, strings.Trim(row.shows, ". "), "a text must not match everything")
		}
	}
	require.GreaterOrEqual(t, len(seen), 60)
}
