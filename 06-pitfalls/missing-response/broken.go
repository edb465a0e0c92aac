// Package missingresponse ends a client-streaming handler without its
// response.
//
// Symptom: "Internal: cardinality violation: received no response message
// from non-server-streaming RPC", for some inputs only.
//
// Cause: such a call has exactly one response, and SendAndClose is what
// sends it. A handler that returns nil without it says OK with nothing to
// show, and it is the client's grpc-go that makes an error of this. Its
// text names neither the method nor the handler's return. A response and
// then an error is the error; two responses are a violation too.
//
// Silence: the response is not a result of the function, as it is in a
// unary handler, so the compiler cannot miss it.
//
// Fix: end every path with "return stream.SendAndClose(response)" or with a
// status.
//
// Threads: grpc-go#7570, grpc-go#8278.
package missingresponse

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum adds up what it gets, at most up to a zero.
func BrokenSum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	response := new(pitfallsv1.SumResponse)
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(response)
		}
		if err != nil {
			return err
		}
		if n.GetValue() == 0 {
			return nil
		}
		response.Sum += n.GetValue()
		response.Count++
	}
}
