// Package noreconnect waits for a stream to come back.
//
// Symptom: the server restarts, other calls work again, and a follower that
// retries gets the same error for ever.
//
// Cause: the connection reconnects by itself, a stream does not. It lives on
// one connection and ends with it; every later Recv returns the error that it
// ended with, at once.
//
// Silence: "Recv failed, try again" is right for many an API. In a test the
// connection does not break.
//
// Fix: after an error from Recv, pause, then open a new stream. With
// grpc.WaitForReady it waits for the connection instead of failing. What the
// server sent meanwhile is lost, unless the request says where to go on.
//
// Threads: grpc-go#904, grpc-go#5507.
package noreconnect

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFollow calls handle with each number, until ctx is done. It waits for
// a server that is away.
func BrokenFollow(ctx context.Context, c pitfallsv1.PitfallServiceClient, handle func(int64)) error {
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
			continue
		}
		if err != nil {
			return err
		}
		handle(n.GetValue())
	}
}
