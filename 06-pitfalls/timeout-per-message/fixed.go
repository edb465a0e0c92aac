package timeoutpermessage

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount calls handle with the numbers that req asks for. It waits for
// each of them no longer than the limit.
func FixedCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
	req *pitfallsv1.CountRequest, limit time.Duration, handle func(int64),
) error {
	silent := status.Errorf(codes.DeadlineExceeded, "no number within %v", limit)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(limit, func() { cancel(silent) })
	defer timer.Stop()
	stream, err := c.Count(ctx, req)
	if err != nil {
		return err
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && errors.Is(context.Cause(ctx), silent) {
			return silent // where Recv says Canceled
		}
		if err != nil {
			return err
		}
		timer.Stop() // handle may take its time
		handle(n.GetValue())
		timer.Reset(limit)
	}
}
