package errortexts

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// A text is a row of docs/errors.md.
type text struct {
	// shows is the line that a user pastes into a search. "..." stands for
	// what differs from run to run.
	shows string
	// who caused the text.
	who string
	// fix says what happened and what to do, in Markdown. {dead-peer} stands
	// for a link to the page of that pitfall; see [link].
	fix string
	// produce causes the error and returns what is printed. It runs in no
	// bubble; use [bubble] for one.
	produce func(*testing.T) string
}

// groups are the tables of the page. Each is in a file of its own.
var groups = []struct {
	name string
	rows []text
}{
	{"statuses", statuses},
	{"methods", methods},
	{"messages", messages},
	{"connecting", connecting},
	{"transport", transport},
	{"proxies", proxies},
	{"http", httpStatuses},
	{"setup", setup},
	{"crashes", crashes},
	{"tools", tools},
	{"stacks", stacks},
}

func TestErrors_AreProducedAsThePageShows(t *testing.T) {
	for _, group := range groups {
		for _, row := range group.rows {
			t.Run(group.name+"/"+row.name(), func(t *testing.T) {
				t.Parallel()
				if runtime.GOOS != "linux" {
					t.Skip("the page shows texts of Linux")
				}
				got := row.produce(t)
				require.True(t, row.matches(got), "got:\n%s\n\nwant a line:\n%s", got, row.shows)
			})
		}
	}
}

func TestPage_HasTheseRows(t *testing.T) {
	for _, group := range groups {
		var table strings.Builder
		table.WriteString("| You see | Who did it | What happened, and what to do |\n|---|---|---|\n")
		for _, row := range slices.SortedFunc(slices.Values(group.rows), func(a, b text) int {
			return cmp.Compare(strings.ToLower(a.shows), strings.ToLower(b.shows))
		}) {
			shows := strings.ReplaceAll(row.shows, "|", `\|`)
			fmt.Fprintf(&table, "| `%s` | %s | %s |\n", shows, row.who, braced.ReplaceAllStringFunc(row.fix, link))
		}
		golden.Section(t, "../../docs/errors.md", group.name, table.String())
	}
}

func TestRows_AreCompleteAndUnique(t *testing.T) {
	parties := regexp.MustCompile(`(?i)client|server|proxy|network|system|code|test`)
	seen := map[string]bool{}
	for _, group := range groups {
		for _, row := range group.rows {
			require.False(t, seen[row.shows], "%s stands twice", row.shows)
			seen[row.shows] = true
			require.Regexp(t, parties, row.who, row.shows)
			require.True(t, strings.HasSuffix(row.fix, "."), "%s: must end with a period", row.shows)
			require.GreaterOrEqual(t, len(strings.ReplaceAll(row.shows, "...", "")), len("EOF"))
		}
	}
	require.GreaterOrEqual(t, len(seen), 60)
}

// name returns the name of the row's subtest, in which no character has a
// meaning for -run.
func (row text) name() string {
	return strings.Trim(regexp.MustCompile(`\W+`).ReplaceAllString(row.shows, "_"), "_")
}

// matches reports whether a line of got is the text, with "..." for any
// characters.
func (row text) matches(got string) bool {
	parts := strings.Split(row.shows, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?m)^[ \t]*` + strings.Join(parts, ".*") + `[ \t]*$`).MatchString(got)
}

var braced = regexp.MustCompile(`\{[^}]+\}`)

// link returns the link that a name in braces stands for: a page of docs, a
// heading of a chapter, or a pitfall.
func link(name string) string {
	name = strings.Trim(name, "{}")
	page, heading, found := strings.Cut(name, "#")
	if found {
		heading = "#" + heading
	}
	switch {
	case slices.Contains([]string{"error-contract", "hops", "tcp"}, page):
		return fmt.Sprintf("[%s](%s.md%s)", page, page, heading)
	case page[0] == '0': // a chapter
		return fmt.Sprintf("[%s](../%s/README.md%s)", page, page, heading)
	default:
		return fmt.Sprintf("[%s](../06-pitfalls/%s/README.md%s)", page, page, heading)
	}
}
