// Package sharedstate shows streams that share a sum by mistake; see README.md.
package sharedstate

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenAdder adds up the numbers of each stream. Sum must not be called
// concurrently, although gRPC calls it concurrently.
type BrokenAdder struct {
	response *pitfallsv1.SumResponse
}

// Sum returns the sum of the numbers that the client sends.
func (a *BrokenAdder) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	a.response = &pitfallsv1.SumResponse{}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(a.response)
		}
		if err != nil {
			return err
		}
		a.response.Sum += n.GetValue()
		a.response.Count++
	}
}
