// Package handlerreturnseof shows a handler that returns io.EOF as an error; see README.md.
package handlerreturnseof

import (
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenEcho is a handler that sends each number back.
func BrokenEcho(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	for {
		n, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
