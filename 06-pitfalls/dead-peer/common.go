package deadpeer

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// openEcho returns a stream on which one number has been delivered in each
// direction.
func openEcho(ctx context.Context, c pitfallsv1.PitfallServiceClient) (echo, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pitfallsv1.Number{}); err != nil {
		return nil, err
	}
	_, err = stream.Recv()
	return stream, err
}

type echo = grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number]
