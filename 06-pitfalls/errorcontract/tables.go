package errorcontract

// A furtherTable shows what a bidi stream returns after terminations that are
// rarer, or with calls that are.
type furtherTable struct {
	name, rows   string
	terminations []termination
	calls        []string
}

var furtherTables = []furtherTable{
	{"further calls", "how the RPC ended", terminations, []string{
		"Context", "Context after Recv", "second Recv", "handler SetHeader", "handler SendHeader",
	}},
}
