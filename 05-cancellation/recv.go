package cancellation

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// RecvWithin receives a tick, but cancels the stream with DeadlineExceeded
// if none comes within limit. The next call starts the time anew, and what
// you do between the calls does not count.
//
// A deadline would bound the whole stream, not its silences: see
// [context.WithTimeout]. cancel is that of the context given to Watch.
func RecvWithin(
	limit time.Duration, cancel context.CancelCauseFunc,
	stream grpc.ServerStreamingClient[tickerv1.Tick],
) (*tickerv1.Tick, error) {
	silence := status.Errorf(codes.DeadlineExceeded, "the server sent nothing for %v", limit)
	timer := time.AfterFunc(limit, func() { cancel(silence) })
	defer timer.Stop()
	tick, err := stream.Recv()
	if err != nil && errors.Is(context.Cause(stream.Context()), silence) {
		return nil, silence // not "context canceled"
	}
	return tick, err
}
