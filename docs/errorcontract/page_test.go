package errorcontract

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

const pageFile = "../error-contract.md"

// messages is the table of what the errors say, in whatever shape.
const messages = "messages"

var tables = append(slices.Clone(shapes),
	shape{name: messages, calls: []string{"open", "Recv", "handler Send"}})

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	return string(text)
}

// replacePage writes the page in one step.
func replacePage(t *testing.T, text string) {
	t.Helper()
	next := pageFile + ".next"
	require.NoError(t, os.WriteFile(next, []byte(text), 0o644))
	require.NoError(t, os.Rename(next, pageFile))
}

var generated = regexp.MustCompile(`(?s)(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)`)

// cellsOf returns the cells of a page by table/ending/call.
func cellsOf(page string) map[string]string {
	cells := map[string]string{}
	for _, m := range generated.FindAllStringSubmatch(page, -1) {
		var columns []string
		for line := range strings.Lines(m[0]) {
			row := strings.Split(strings.Trim(line, "| \n"), " | ")
			if row[0] == "ending" {
				columns = row
				continue
			}
			for i := 1; i < len(row) && i < len(columns); i++ {
				cells[m[2]+"/"+row[0]+"/"+columns[i]] = row[i]
			}
		}
	}
	return cells
}

// withCells returns a page whose generated parts hold cells.
func withCells(page string, cells map[string]string) string {
	return generated.ReplaceAllStringFunc(page, func(part string) string {
		m := generated.FindStringSubmatch(part)
		body := "It holds for **grpc-go v" + grpc.Version + "**.\n"
		for _, table := range tables {
			if table.name == m[2] {
				body = markdown(table, cells)
			}
		}
		return m[1] + body + m[3]
	})
}

func markdown(table shape, cells map[string]string) string {
	var b strings.Builder
	b.WriteString("| ending | " + strings.Join(table.calls, " | ") + " |\n")
	b.WriteString(strings.Repeat("|---", len(table.calls)+1) + "|\n")
	for _, e := range endings {
		b.WriteString("| " + e.name)
		for _, call := range table.calls {
			b.WriteString(" | " + cells[table.name+"/"+e.name+"/"+call])
		}
		b.WriteString(" |\n")
	}
	return b.String()
}
