package errorcontract

import (
	"fmt"
	"slices"
	"testing"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// usually are the tables of how an RPC usually ends, and everywhere are those
// in which a stream opens.
var (
	usually    = []string{"server stream", "client stream", "bidi stream"}
	everywhere = append(slices.Clone(usually), "connection", "peer", "handler", "client", "one response")
)

// exceptions makes a call after every termination of some tables. It returns
// the outcomes that are not usual, by termination.
func exceptions(t *testing.T, tables []string, call string, usual ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, table := range allTables() {
		if !slices.Contains(tables, table.name) {
			continue
		}
		for _, term := range table.terminations {
			name := term.name
			if !slices.Contains(usually, table.name) {
				name = table.name + ": " + name
			}
			got := textOf(observe(t, table.rpcType, term, call))
			if got == none || slices.Contains(usual, got) || got == found[name] {
				continue
			}
			if before, ok := found[name]; ok {
				got = before + " or " + got
			}
			found[name] = got
		}
	}
	return found
}

func allTables() []furtherTable {
	tables := slices.Clone(furtherTables)
	for _, typ := range rpcTypes {
		tables = append(tables, furtherTable{name: typ.name, rpcType: typ, terminations: terminations})
	}
	return tables
}

func recvAll(stream interface{ RecvMsg(any) error }, n int) (results []string) {
	for range n {
		var number pitfallsv1.Number
		err := stream.RecvMsg(&number)
		results = append(results, fmt.Sprint(describe(err).text, " ", number.GetValue()))
	}
	return results
}
