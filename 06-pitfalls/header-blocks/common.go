package headerblocks

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// send sends the only number of a stream.
func send(stream grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], value int64) error {
	err := stream.Send(&pitfallsv1.Number{Value: value})
	if err != nil && !errors.Is(err, io.EOF) { // Recv has the status
		return err
	}
	return stream.CloseSend()
}
