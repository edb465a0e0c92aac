package plainerror

import (
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedSum adds up numbers, which must be at least 0.
func FixedSum(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
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
			return status.Errorf(codes.InvalidArgument, "value: must be at least 0, got %d", n.GetValue())
		}
		response.Sum += n.GetValue()
		response.Count++
	}
}
