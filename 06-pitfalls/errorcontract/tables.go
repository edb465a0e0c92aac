package errorcontract

import "slices"

// A furtherTable shows what a stream returns after terminations that are
// rarer, or with calls that are.
type furtherTable struct {
	name, rows   string
	rpcType      rpcType
	terminations []termination
	calls        []string
}

var furtherTables = []furtherTable{
	{"further calls", "how the RPC ended", bidi, append(notEnded, terminations...), []string{
		"Context", "Context after Recv", "second Recv", "handler SetHeader", "handler SendHeader",
	}},
	{"connection", "how the connection ended", bidi, connectionEnds, endCalls},
	{"peer", "how the stream ended", bidi, peerEnds, endCalls[:len(endCalls)-2]},
	{"handler", "the handler", bidi, handlerMistakes, endCalls},
	{"client", "the client", bidi, clientMistakes, slices.Insert(slices.Clone(endCalls), 2, "Send says")},
	{"one response", "what happens", clientStream, clientStreamMistakes, []string{
		"Send", "CloseAndRecv", "CloseAndRecv says", "Header", "Trailer", "handler SendAndClose", "handler Context",
	}},
	{"unopened", "why no stream opened", serverStream, unopened, []string{"open", "open says"}},
}

var endCalls = []string{"open", "Send", "Recv", "Recv says", "Header", "Trailer", "handler Send", "handler Context"}

// notEnded are RPCs that go on.
var notEnded = []termination{
	{name: "it has not ended, no headers", beforeFirst: true},
	{name: "it has not ended"},
}
