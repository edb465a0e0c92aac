// Package plainerror shows a handler that returns an error without a code; see README.md.
package plainerror

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum adds up numbers, which must be at least 0.
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
		if n.GetValue() < 0 {
			return fmt.Errorf("value: must be at least 0, got %d", n.GetValue())
		}
		response.Sum += n.GetValue()
		response.Count++
	}
}
