package defercancel

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedOpen opens a stream of the numbers that req asks for. It returns
// DeadlineExceeded if opening takes longer than limit. A caller that stops
// reading before the stream has ended cancels ctx.
func FixedOpen(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration,
) (grpc.ServerStreamingClient[pitfallsv1.Number], error) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(limit, cancel)
	stream, err := c.Count(ctx, req, grpc.OnFinish(func(error) { cancel() }))
	if !timer.Stop() {
		return nil, status.Errorf(codes.DeadlineExceeded, "opening took longer than %v", limit)
	}
	if err != nil {
		cancel() // an interceptor may have failed before the call began
	}
	return stream, err
}
