package sharedstate

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A FixedAdder adds up the numbers of each stream. Sum may be called
// concurrently.
type FixedAdder struct{}

// Sum returns the sum of the numbers that the client sends.
func (a *FixedAdder) Sum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	response := &pitfallsv1.SumResponse{}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(response)
		}
		if err != nil {
			return err
		}
		response.Sum += n.GetValue()
		response.Count++
	}
}
