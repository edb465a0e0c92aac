package sharedstate

import (
	"errors"
	"io"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A FixedAdder adds up what its clients send.
type FixedAdder struct{}

// Sum is the handler.
func (a *FixedAdder) Sum(stream sumStream) error {
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
