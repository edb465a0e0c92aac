package handlerreturnseof

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedEcho is a handler that sends each number back.
func FixedEcho(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
