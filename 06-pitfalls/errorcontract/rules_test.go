package errorcontract

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpen_FailsForWhatTheClientKnows(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                              "Canceled",
		"deadline":                                   "DeadlineExceeded",
		"handler panic, not recovered":               "Unavailable",
		"server Stop":                                "Unavailable",
		"server GracefulStop":                        "Unavailable",
		"too large for the client to send":           "ResourceExhausted",
		"connection: client Close of the connection": "Canceled",
	}, exceptions(t, everywhere, "open", "nil"))
}

func TestSend_ReturnsEOFExceptForOwnMistakes(t *testing.T) {
	require.Equal(t, map[string]string{
		"too large for the client to send":                    "ResourceExhausted",
		"too large for the client to receive":                 "Internal", // after CloseAndRecv
		"send after half-close":                               "Internal",
		"client: sends a message that cannot be marshaled":    "Internal",
		"client: uses up its retries":                         "wrapped io.EOF",
		"one response: the client goes on after CloseAndRecv": "Internal",

		// The RPC has not ended for the client.
		"server GracefulStop":                                "nil",
		"peer: REFUSED_STREAM before the headers":            "nil",
		"one response: the handler calls SendAndClose twice": "nil",
	}, exceptions(t, everywhere, "Send", "io.EOF"))
}

func TestRecv_ResponseIsLostWithAStatusAfterIt(t *testing.T) {
	last := terminations[slices.IndexFunc(terminations, func(term termination) bool {
		return term.name == "status after the last message"
	})]
	for _, typ := range rpcTypes {
		want := "message, NotFound"
		if typ.name == "client stream" {
			want = "NotFound"
		}
		require.Equal(t, want, textOf(observe(t, typ, last, "Recv")), typ.name)
	}
}

func TestCloseSend_AlwaysReturnsNil(t *testing.T) {
	require.Empty(t, exceptions(t, everywhere, "CloseSend", "nil"))
}

func TestHeader_NeverReturnsTheStatus(t *testing.T) {
	require.Equal(t, map[string]string{"server GracefulStop": "blocks"},
		exceptions(t, everywhere, "Header", "content-type, nil", "nil, nil"))
}

func TestTrailer_IsNilIfTheServerSentNoStatus(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                       "nil",
		"deadline":                            "nil",
		"handler panic, not recovered":        "nil",
		"connection closed":                   "nil",
		"server Stop":                         "nil",
		"too large for the client to send":    "nil",
		"too large for the client to receive": "nil",
		"send after half-close":               "nil",
		"server GracefulStop":                 "blocks",
	}, exceptions(t, usually, "Trailer", "served-by", "content-type", "content-type served-by"))
}

// A server sends its status without the trailers of a handler if no handler
// runs.
func TestTrailer_MayLackOurKeyThoughTheServerAnswered(t *testing.T) {
	require.Equal(t, map[string]string{
		"Unimplemented":                       "content-type",
		"too large for the server to receive": "content-type", // in a server stream
		"client: uses up its retries":         "content-type",
		"peer: trailers without grpc-status":  "x-proxy",
	}, exceptions(t, everywhere, "Trailer", "served-by", "content-type served-by", "nil", "blocks"))
}

func TestRecv_MakesCodesFromAProxysAnswer(t *testing.T) {
	want := map[string]string{
		"HTTP 404 text/html": "Unimplemented",
		"HTTP 429 text/html": "Unavailable",
		"HTTP 502 text/html": "Unavailable",
		"HTTP 503 text/html": "Unavailable",
		"HTTP 504 text/html": "Unavailable",
		"RST_STREAM CANCEL":  "Canceled",
	}
	for _, term := range peerEnds {
		if code, ok := want[term.name]; ok {
			require.Equal(t, code, textOf(observe(t, bidi, term, "Recv")), term.name)
			require.Equal(t, "nil", textOf(observe(t, bidi, term, "Trailer")), term.name)
			delete(want, term.name)
		}
	}
	require.Empty(t, want, "terminations that are not in the table")
}

func TestSetHeader_FailsOnceHeadersAreSent(t *testing.T) {
	for i, want := range []string{"nil", "Internal"} { // before the first message, and after it
		require.Equal(t, want, textOf(observe(t, bidi, notEnded[i], "handler SetHeader")))
		require.Equal(t, want, textOf(observe(t, bidi, notEnded[i], "handler SendHeader")))
	}
}

func TestRecv_ReturnsTheEndAgain(t *testing.T) {
	all := slices.Concat(terminations, connectionEnds, peerEnds, handlerMistakes, clientMistakes)
	for _, term := range all {
		if term.name == "sends a message that cannot be unmarshaled" {
			continue // Recv may go on
		}
		first := textOf(observe(t, bidi, term, "Recv"))
		second := textOf(observe(t, bidi, term, "second Recv"))
		require.Equal(t, strings.TrimPrefix(first, "message, "), second, term.name)
	}
}

func TestClientContext_IsDoneAfterRecvSawTheEnd(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                       "Canceled",
		"deadline":                            "DeadlineExceeded",
		"too large for the client to send":    "Canceled",
		"too large for the client to receive": "Canceled",
		"send after half-close":               "Canceled",

		"connection: client Close of the connection": "Canceled",
	}, exceptions(t, append(usually, "connection"), "Context", "nil"))
	require.Equal(t, map[string]string{
		"deadline":            "DeadlineExceeded",
		"server GracefulStop": "blocks",
	}, exceptions(t, append(usually, "connection"), "Context after Recv", "Canceled"))
}

func TestHandlerContext_SaysCanceled(t *testing.T) {
	require.Equal(t, map[string]string{
		"one response: the handler calls SendAndClose twice": "nil", // the RPC has not ended
		"deadline":            "Canceled or DeadlineExceeded",
		"server GracefulStop": "nil",
	}, exceptions(t, everywhere, "handler Context", "Canceled"))
}

func TestHandlerSend_DiffersFromWhatTheClientSees(t *testing.T) {
	require.Equal(t, map[string]string{
		"deadline":                                   "Canceled or DeadlineExceeded",
		"connection closed":                          "Unavailable",
		"server Stop":                                "Unavailable",
		"server GracefulStop":                        "nil",
		"too large for the server to send":           "ResourceExhausted",
		"connection: client Close of the connection": "Unavailable",
		"connection: MaxConnectionAge and its grace are over": "Unavailable",
		"connection: keepalive timeout":                       "Unavailable",
		"connection: too_many_pings":                          "Unavailable",
		"handler: sends a message that cannot be marshaled":   "Internal",
		"one response: the handler calls SendAndClose twice":  "nil",
	}, exceptions(t, everywhere, "handler Send", "Canceled"))
}

func TestClient_CannotTellStopCloseAndPanicApart(t *testing.T) {
	alike := []string{"server Stop", "connection closed", "handler panic, not recovered"}
	for _, typ := range rpcTypes {
		for _, call := range typ.calls {
			if _, ok := handlerCalls[general(call)]; ok || call == "open" {
				continue
			}
			seen := map[string]bool{}
			for _, term := range terminations {
				if slices.Contains(alike, term.name) {
					seen[textOf(observe(t, typ, term, call))] = true
				}
			}
			require.Len(t, seen, 1, "%s of a %s: %v", call, typ.name, seen)
		}
	}
}
