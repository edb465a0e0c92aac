package noreconnect

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedFollow calls handle with each number, until ctx is done. It waits for
// a server that is away.
func FixedFollow(ctx context.Context, c pitfallsv1.PitfallServiceClient, handle func(int64)) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return err
	}
	for {
		n, err := stream.Recv()
		if status.Code(err) == codes.Unavailable {
			if err := pause(ctx); err != nil {
				return err
			}
			stream, err = c.Count(ctx, &pitfallsv1.CountRequest{}, grpc.WaitForReady(true))
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		handle(n.GetValue())
	}
}
