// Package missingresponse shows a handler that returns without its response; see README.md.
package missingresponse

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum adds up the numbers that it receives, up to the first zero.
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
