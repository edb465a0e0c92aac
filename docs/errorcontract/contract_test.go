// Package errorcontract observes how streams end. Its tests keep the
// tables of docs/error-contract.md true.
package errorcontract

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the tests observe to docs/error-contract.md")

const advice = "if grpc-go has changed: go test ./docs/errorcontract -update, then mend the rules below the tables"

// Each cell of the page's tables is a subtest: table/ending/call.
func TestErrorContract(t *testing.T) {
	page := readPage(t)
	cells := cellsOf(page)
	for _, table := range tables {
		for _, e := range endings {
			for _, call := range table.calls {
				name := table.name + "/" + e.name + "/" + call
				t.Run(name, func(t *testing.T) {
					want := cells[name]
					got := results(t, table.name, e, call, runs(e, want))
					if *update {
						cells[name] = got
					} else if got != want {
						t.Errorf("docs/error-contract.md, table %q, row %q, column %q\n\tgot:  %s\n\twant: %s\n%s",
							table.name, e.name, call, got, want, advice)
					}
				})
			}
		}
	}
	if *update {
		page = withCells(page, cells)
		replacePage(t, page)
	}
	want := strings.Split(withCells(page, cells), "\n")
	for i, line := range strings.Split(page, "\n") {
		require.Equal(t, want[min(i, len(want)-1)], line, "docs/error-contract.md:%d: %s", i+1, advice)
	}
}

// runs says how often a cell is observed: once, unless it may have more
// than one result. The rarest comes in half of the runs.
func runs(e ending, cell string) int {
	if strings.Contains(cell, " or ") || *update && !e.process {
		return 30
	}
	return 1
}

// results returns all results that occur in some runs.
func results(t *testing.T, table string, e ending, call string, runs int) string {
	seen := map[string]bool{}
	for run := range runs {
		for _, s := range shapes {
			switch table {
			case s.name:
				seen[observe(t, s, e, call, run).text] = true
			case messages:
				seen[observe(t, s, e, call, run).message()] = true
			}
		}
	}
	if len(seen) > 1 {
		delete(seen, none)
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " or ")
}
