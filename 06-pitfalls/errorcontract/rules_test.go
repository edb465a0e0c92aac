package errorcontract

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// exceptions makes a call after every termination, in every RPC type that
// has the call. It returns the outcomes that are not usual, by termination.
func exceptions(t *testing.T, call string, usual ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, typ := range rpcTypes {
		if !slices.ContainsFunc(typ.calls, func(c string) bool { return general(c) == call }) {
			continue
		}
		for _, term := range terminations {
			got := textOf(observe(t, typ, term, call))
			if got == none || slices.Contains(usual, got) {
				continue
			}
			before, ok := found[term.name]
			require.False(t, ok && before != got, "%s: %s in one RPC type, %s in another", term.name, before, got)
			found[term.name] = got
		}
	}
	return found
}

func TestOpen_FailsForWhatTheClientKnows(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                    "Canceled",
		"deadline":                         "DeadlineExceeded",
		"handler panic, not recovered":     "Unavailable",
		"server Stop":                      "Unavailable",
		"server GracefulStop":              "Unavailable",
		"too large for the client to send": "ResourceExhausted",
	}, exceptions(t, "open", "nil"))
}

func TestSend_ReturnsEOFExceptForOwnMistakes(t *testing.T) {
	require.Equal(t, map[string]string{
		"server GracefulStop":                 "nil", // the RPC has not ended
		"too large for the client to send":    "ResourceExhausted",
		"too large for the client to receive": "Internal", // after CloseAndRecv
		"send after half-close":               "Internal",
	}, exceptions(t, "Send", "io.EOF"))
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
	require.Empty(t, exceptions(t, "CloseSend", "nil"))
}

func TestHeader_NeverReturnsTheStatus(t *testing.T) {
	require.Equal(t, map[string]string{"server GracefulStop": "blocks"},
		exceptions(t, "Header", "content-type, nil", "nil, nil"))
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
	}, exceptions(t, "Trailer", "served-by", "content-type", "content-type served-by"))
}

func TestHandlerContext_SaysCanceled(t *testing.T) {
	require.Equal(t, map[string]string{
		"deadline":            "Canceled or DeadlineExceeded",
		"server GracefulStop": "nil",
	}, exceptions(t, "handler Context", "Canceled"))
}

func TestHandlerSend_DiffersFromWhatTheClientSees(t *testing.T) {
	require.Equal(t, map[string]string{
		"deadline":                         "Canceled or DeadlineExceeded",
		"connection closed":                "Unavailable",
		"server Stop":                      "Unavailable",
		"server GracefulStop":              "nil",
		"too large for the server to send": "ResourceExhausted",
	}, exceptions(t, "handler Send", "Canceled"))
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

// Recv reads the five bytes of a message's prefix and leaves the rest of a
// message that is too large. The next Recv takes five bytes of that rest for
// another prefix.
func TestRecv_AfterATooLargeMessageInventsAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seven := []byte{0, 0, 0, 0, 2, 8, 7} // a message of 2 bytes: value 7
		big := &pitfallsv1.Number{Padding: append(make([]byte, 3), seven...)}
		var atHandler []string
		server := pitfalltest.Serve(t, stub(func(h *serverEnd) error {
			err := h.SendMsg(big)
			atHandler = recvThree(h)
			return err
		}), grpc.MaxRecvMsgSize(limit))
		conn := server.Dial(t, callOption(grpc.MaxCallRecvMsgSize(limit))...)
		c, err := openEcho(t.Context(), pitfallsv1.NewPitfallServiceClient(conn), 0)
		require.NoError(t, err)
		require.NoError(t, c.SendMsg(big))
		synctest.Wait()

		want := []string{"ResourceExhausted 0", "ResourceExhausted 0", "OK 7"}
		require.Equal(t, want, atHandler)
		require.Equal(t, want, recvThree(c))
	})
}

func recvThree(stream interface{ RecvMsg(any) error }) (results []string) {
	for range 3 {
		var number pitfallsv1.Number
		err := stream.RecvMsg(&number)
		results = append(results, fmt.Sprint(status.Code(err), " ", number.GetValue()))
	}
	return results
}
