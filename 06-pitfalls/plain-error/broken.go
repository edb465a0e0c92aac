// Package plainerror returns an error without a status from a handler.
//
// Symptom: every failure is "Unknown"; clients retry what can never succeed,
// and alerts for server errors fire on bad input.
//
// Cause: an error is no status, and grpc-go does not guess: the code becomes
// Unknown and the text the message. A status that was wrapped with %w keeps
// its code, and the errors of a context become Canceled and
// DeadlineExceeded, wrapped or not. All others, such as os.ErrNotExist, are
// Unknown, and their text, with paths and addresses, goes to the client.
//
// Silence: a handler returns an error, and any error will do.
//
// Fix: return status.Error or status.Errorf with a code chosen on purpose.
//
// Threads: grpc-go#1881, grpc-go#2057.
package plainerror

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenSum adds up numbers that are at least 0.
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
