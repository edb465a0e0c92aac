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

// FixedCount calls handle with each number that req asks for. It waits no
// longer than limit for each number.
//
// DeadlineExceeded: no number arrived within the limit, or the deadline of ctx
// has passed.
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
		return reason(ctx, silent, err)
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return reason(ctx, silent, err)
		}
		timer.Stop() // the time that handle takes does not count
		handle(n.GetValue())
		timer.Reset(limit)
	}
}

// reason returns silent if the timer has canceled ctx, and err otherwise.
func reason(ctx context.Context, silent, err error) error {
	if errors.Is(context.Cause(ctx), silent) {
		return silent // err is Canceled
	}
	return err
}
