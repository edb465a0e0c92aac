package errorcontract

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"example.com/streams/internal/golden"
)

const page = "../../docs/error-contract.md"

// TestMain lets the test binary be the server that a panic kills.
func TestMain(m *testing.M) {
	if os.Getenv(panicServerVar) == "" {
		os.Exit(m.Run())
	}
	if err := runPanicServer(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestErrorContract_Version(t *testing.T) {
	golden.Section(t, page, "version", fmt.Sprintf("The tables hold for **grpc-go v%s**.\n", grpc.Version))
}

// Each cell is a subtest: RPC type/termination/call.
func TestErrorContract(t *testing.T) {
	for _, typ := range rpcTypes {
		var rows [][]string
		t.Run(typ.name, func(t *testing.T) {
			for _, term := range terminations {
				row := []string{term.name}
				t.Run(term.name, func(t *testing.T) {
					for _, call := range typ.calls {
						t.Run(call, func(t *testing.T) {
							row = append(row, textOf(observe(t, typ, term, call)))
						})
					}
				})
				rows = append(rows, row)
			}
		})
		compare(t, typ.name, typ.calls, rows)
	}
}

// The messages do not depend on the RPC type, except that a call may have
// none.
func TestErrorContract_Messages(t *testing.T) {
	calls := []string{"open", "Recv", "handler Send"}
	var rows [][]string
	for _, term := range terminations {
		row := []string{term.name}
		for _, call := range calls {
			var all []outcome
			for _, typ := range rpcTypes {
				all = append(all, observe(t, typ, term, call)...)
			}
			row = append(row, distinct(all, outcome.message))
		}
		rows = append(rows, row)
	}
	compare(t, "messages", calls, rows)
}

// compare compares rows with a table of the page, unless -run has left out
// some of the cells.
func compare(t *testing.T, name string, calls []string, rows [][]string) {
	if slices.ContainsFunc(rows, func(row []string) bool { return len(row) != len(calls)+1 }) || len(rows) != len(terminations) {
		t.Logf("-run has left out cells of %s, so its table is not compared", name)
		return
	}
	var b strings.Builder
	b.WriteString("| how the RPC ended | " + strings.Join(calls, " | ") + " |\n")
	b.WriteString(strings.Repeat("|---", len(calls)+1) + "|\n")
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	golden.Section(t, page, name, b.String())
}

// textOf returns the different texts of outcomes, joined with "or".
func textOf(outcomes []outcome) string {
	return distinct(outcomes, func(o outcome) string { return o.text })
}

func distinct(outcomes []outcome, text func(outcome) string) string {
	seen := map[string]bool{}
	for _, o := range outcomes {
		seen[text(o)] = true
	}
	if len(seen) > 1 {
		delete(seen, none)
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " or ")
}
