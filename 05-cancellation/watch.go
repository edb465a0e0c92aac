package cancellation

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// Watch yields the ticks of one stream, and as its last pair the error that
// ended it: the status, DeadlineExceeded after a silence of idle, Unavailable
// if the server ended it with OK. Breaking out of the loop ends the stream.
func Watch(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, idle time.Duration,
) iter.Seq2[*tickerv1.Tick, error] {
	return func(yield func(*tickerv1.Tick, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil) // whichever way the loop is left
		stream, err := c.Watch(ctx, req)
		for err == nil {
			var tick *tickerv1.Tick
			if tick, err = RecvWithin(idle, cancel, stream); err == nil && !yield(tick, nil) {
				return
			}
		}
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Unavailable, "the server ended the stream")
		}
		yield(nil, err)
	}
}
