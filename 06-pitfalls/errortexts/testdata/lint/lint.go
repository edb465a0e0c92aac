// Package lint has what golangci-lint finds in streaming code.
package lint

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Dial connects as before grpc-go 1.63.
func Dial() (*grpc.ClientConn, error) {
	return grpc.Dial("localhost:50051",
		grpc.WithInsecure(),
		grpc.WithBlock())
}

// Send loses errors.
func Send(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	stream.Send(&pitfallsv1.Number{})
	stream.CloseSend()
	for {
		_, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			return nil
		}
	}
}
