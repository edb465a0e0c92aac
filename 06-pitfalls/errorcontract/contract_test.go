package errorcontract

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/grpclog"

	"example.com/streams/internal/golden"
)

const page = "../../docs/error-contract.md"

// TestMain lets the test binary be the server that a panic kills.
func TestMain(m *testing.M) {
	if os.Getenv(panicServerVar) == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
		_ = flag.Set("test.parallel", "16") // over TCP, a test mostly waits
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

func TestErrorContract_ObservedOnce(t *testing.T) {
	var b strings.Builder
	for _, table := range allTables()[1:] { // the first one repeats the terminations of the others
		for _, term := range table.terminations {
			if term.virtual != "" {
				fmt.Fprintf(&b, "- *%s*, in virtual time: %s.\n", term.name, term.virtual)
			}
			if term.process && table.name == bidi.name {
				fmt.Fprintf(&b, "- *%s*, over TCP: the server is a process of its own.\n", term.name)
			}
		}
	}
	golden.Section(t, page, "virtual", b.String())
}

// The page names the rows that end before any message.
func TestErrorContract_NamesRowsWithoutMessages(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	words := strings.Join(strings.Fields(string(text)), " ")
	_, list, _ := strings.Cut(words, "Some rows differ from this:")
	list, _, found := strings.Cut(list, "end the RPC before any message of a direction that streams.")
	require.True(t, found)
	for _, table := range allTables() {
		for _, term := range table.terminations {
			name, _, html := strings.Cut(term.name, " text/html")
			if html {
				name = "HTTP ..."
			}
			if table.name != "further calls" {
				require.Equal(t, term.beforeFirst, strings.Contains(list, "*"+name+"*"), name)
			}
		}
	}
}

func TestErrorContract_NoCellDiffersOverTCP(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NotContains(t, string(text), "; over TCP")
}

// Each cell is a subtest: RPC type/termination/call.
func TestErrorContract(t *testing.T) {
	for _, typ := range rpcTypes {
		table(t, typ.name, "how the RPC ended", terminations, typ.calls, func(t *testing.T, term termination, call string) string {
			return cell(t, []rpcType{typ}, term, call)
		})
	}
}

// Each cell is a subtest: table/termination/call.
func TestErrorContract_Further(t *testing.T) {
	for _, further := range furtherTables {
		table(t, further.name, further.rows, further.terminations, further.calls, func(t *testing.T, term termination, call string) string {
			return cell(t, []rpcType{further.rpcType}, term, call)
		})
	}
}

// The messages do not depend on the RPC type, except that a call may have
// none.
func TestErrorContract_Messages(t *testing.T) {
	calls := []string{"open says", "Recv says", "handler Send says"}
	table(t, "messages", "how the RPC ended", terminations, calls, func(t *testing.T, term termination, call string) string {
		return cell(t, rpcTypes, term, call)
	})
}

// table observes each cell in a subtest, and compares the rows with a table
// of the page, unless -run has left out some of the cells.
func table(t *testing.T, name, first string, terms []termination, calls []string, cell func(*testing.T, termination, string) string) {
	rows := make([][]string, len(terms))
	t.Run(name, func(t *testing.T) {
		for i, term := range terms {
			rows[i] = make([]string, len(calls))
			t.Run(term.name, func(t *testing.T) {
				t.Parallel()
				for j, call := range calls {
					t.Run(call, func(t *testing.T) {
						t.Parallel()
						rows[i][j] = cell(t, term, call)
					})
				}
			})
		}
	})
	var b strings.Builder
	b.WriteString("| " + first + " | " + strings.Join(calls, " | ") + " |\n")
	b.WriteString(strings.Repeat("|---", len(calls)+1) + "|\n")
	for i, row := range rows {
		if len(row) == 0 || slices.Contains(row, "") {
			t.Logf("-run has left out cells of %s, so its table is not compared", name)
			return
		}
		b.WriteString("| " + terms[i].name + " | " + strings.Join(row, " | ") + " |\n")
	}
	golden.Section(t, page, name, b.String())
}
