// Package timeoutpermessage limits a stream where it means each message.
//
// Symptom: a healthy stream ends with DeadlineExceeded, always after the
// same time. And a stream that falls silent just before is noticed late or,
// if the limit was taken away for that, never.
//
// Cause: a deadline belongs to the RPC, and for a stream that is its whole
// life, opening and all messages. It goes to the server as grpc-timeout with
// the first frame, and no message moves it. grpc-go has no timeout for one
// Recv or one Send.
//
// Silence: WithTimeout before a call is what every unary call has, and vet
// asks only that its cancel is called.
//
// Fix: cancel the stream with a timer, and reset it with each message.
//
// Threads: grpc-go#445, grpc-go#1229.
package timeoutpermessage

import (
	"context"
	"errors"
	"io"
	"time"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount calls handle with the numbers that req asks for. It waits for
// each of them no longer than the limit.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration, handle func(int64),
) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		handle(n.GetValue())
	}
}
