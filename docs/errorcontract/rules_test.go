package errorcontract

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

// The rules are read off the page, whose cells TestErrorContract proves.

// except returns what a call returns in the endings where it is not what
// it usually is, in whatever shape has the call.
func except(t *testing.T, call string, usual ...string) map[string]string {
	t.Helper()
	others := map[string]string{}
	for name, cell := range cellsOf(readPage(t)) {
		part := strings.Split(name, "/") // table/ending/call
		if part[0] == messages || general(part[2]) != call || slices.Contains(append(usual, none), cell) {
			continue
		}
		before, ok := others[part[1]]
		require.False(t, ok && before != cell, "%s: %s in one shape, %s in another", part[1], before, cell)
		others[part[1]] = cell
	}
	return others
}

func TestOpeningFailsOnlyForWhatTheClientKnows(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                    "Canceled",
		"deadline":                         "DeadlineExceeded",
		"handler panic, not recovered":     "Unavailable",
		"server Stop":                      "Unavailable",
		"server GracefulStop":              "Unavailable",
		"too large for the client to send": "ResourceExhausted",
	}, except(t, "open", "nil"))
}

func TestSendReturnsEOFExceptForTheClientsOwnMistakes(t *testing.T) {
	require.Equal(t, map[string]string{
		"server GracefulStop":                 "nil", // the stream is open
		"too large for the client to send":    "ResourceExhausted",
		"too large for the client to receive": "Internal", // after CloseAndRecv
		"send after half-close":               "Internal",
	}, except(t, "Send", "io.EOF"))
}

func TestAStatusAfterTheResponseOfAClientStreamLosesTheResponse(t *testing.T) {
	cells := cellsOf(readPage(t))
	const row = "/status after the last message/"
	require.Equal(t, "message, NotFound", cells["server stream"+row+"Recv"])
	require.Equal(t, "message, NotFound", cells["bidi stream"+row+"Recv"])
	require.Equal(t, "NotFound", cells["client stream"+row+"CloseAndRecv"])
}

func TestCloseSendAlwaysReturnsNil(t *testing.T) {
	require.Empty(t, except(t, "CloseSend", "nil"))
}

func TestHeaderNeverReturnsTheStatus(t *testing.T) {
	require.Equal(t, map[string]string{"server GracefulStop": "blocks"},
		except(t, "Header", "content-type, nil", "nil, nil"))
}

func TestTrailersAreMissingWhereTheServerSentNoStatus(t *testing.T) {
	require.Equal(t, map[string]string{
		"client cancel":                       "nil",
		"deadline":                            "nil",
		"handler panic, not recovered":        "nil",
		"connection cut":                      "nil",
		"server Stop":                         "nil",
		"too large for the client to send":    "nil",
		"too large for the client to receive": "nil",
		"send after half-close":               "nil",
		"server GracefulStop":                 "blocks",
	}, except(t, "Trailer", "served-by", "content-type", "content-type served-by"))
}

func TestTheHandlersContextSaysCanceledHoweverTheStreamEnded(t *testing.T) {
	require.Equal(t, map[string]string{
		"deadline":            "Canceled or DeadlineExceeded",
		"server GracefulStop": "nil",
	}, except(t, "handler Context", "Canceled"))
}

func TestTheHandlersSendDoesNotReturnWhatTheClientSees(t *testing.T) {
	require.Equal(t, map[string]string{
		"deadline":                         "Canceled or DeadlineExceeded",
		"connection cut":                   "Unavailable",
		"server Stop":                      "Unavailable",
		"server GracefulStop":              "nil",
		"too large for the server to send": "ResourceExhausted",
	}, except(t, "handler Send", "Canceled"))
}

func TestAStopACutAndAPanicLookTheSameToTheClient(t *testing.T) {
	cells := cellsOf(readPage(t))
	for _, s := range shapes {
		for _, call := range s.calls {
			if call == "open" || strings.HasPrefix(call, "handler") {
				continue
			}
			stop := cells[s.name+"/server Stop/"+call]
			require.NotEmpty(t, stop)
			require.Equal(t, stop, cells[s.name+"/connection cut/"+call], "%s of a %s", call, s.name)
			require.Equal(t, stop, cells[s.name+"/handler panic, not recovered/"+call], "%s of a %s", call, s.name)
		}
	}
}

// Recv reads five bytes and leaves the rest of a message that is too
// large. The next one takes five of those for another length.
func TestRecvAfterATooLargeMessageReturnsAMessageThatNobodySent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seven := []byte{0, 0, 0, 0, 2, 8, 7} // a frame of 2 bytes: value 7
		big := &pitfallsv1.Number{Padding: append(make([]byte, 3), seven...)}
		var atHandler []string
		server := bufnet.Serve(t, service{handle: func(h *serverEnd) error {
			err := h.SendMsg(big)
			atHandler = recvThree(h)
			return err
		}}.register, grpc.MaxRecvMsgSize(limit))
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
