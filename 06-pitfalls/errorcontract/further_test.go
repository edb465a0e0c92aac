package errorcontract

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFurther_HoldsForOtherRPCTypes(t *testing.T) {
	found := map[string]string{}
	for _, terms := range [][]termination{connectionEnds, peerEnds, handlerMistakes, clientMistakes} {
		for _, term := range terms {
			for _, call := range []string{"open", "Send", "Recv", "handler Send", "handler Context"} {
				want := textOf(observe(t, bidi, term, call))
				for _, typ := range []rpcType{serverStream, clientStream} {
					if &terms[0] == &clientMistakes[0] && typ.name == serverStream.name {
						continue // its client sends nothing but the request
					}
					if got := textOf(observe(t, typ, term, call)); got != want && got != none {
						found[typ.name+", "+term.name+", "+call] = got + ", not " + want
					}
				}
			}
		}
	}
	require.Equal(t, map[string]string{
		// The client has received nothing, so grpc-go opens the stream again.
		"client stream, GOAWAY that leaves the stream out, Send": "nil, not io.EOF",
		"client stream, GOAWAY that leaves the stream out, Recv": "blocks, not Unavailable",
		"client stream, RST_STREAM REFUSED_STREAM, Send":         "nil, not io.EOF",
		"client stream, RST_STREAM REFUSED_STREAM, Recv":         "blocks, not Unavailable",
		// There was no response.
		"client stream, returns a status with the code OK, Recv": "Internal, not io.EOF",
		// CloseAndRecv has half-closed the stream.
		"client stream, sends a message that cannot be unmarshaled, Send": "Internal, not io.EOF",
	}, found)
}
