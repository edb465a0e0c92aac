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

// Ticks calls Watch and yields the ticks. Unless the loop is left, the last
// pair is the error that ended the call: the status of the call, DeadlineExceeded if
// the call was open and no tick came within idle, DataLoss if the server sent a tick out of order or
// left one out (a request for some symbols allows that), or Unavailable if the
// server ended the call with OK. Leaving the loop cancels the call. Each loop
// makes a call of its own.
func Ticks(
	ctx context.Context, c tickerv1.TickerServiceClient,
	req *tickerv1.WatchRequest, idle time.Duration,
) iter.Seq2[*tickerv1.Tick, error] {
	return func(yield func(*tickerv1.Tick, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the call, however the loop ends
		stream, err := c.Watch(ctx, req)
		last := req.After
		for err == nil {
			var tick *tickerv1.Tick
			if tick, err = recvWithin(idle, stream, cancel); err != nil {
				break
			}
			n := tick.GetSequence() // the loop may change the tick
			// DataLoss, if n must not follow last.
			if err = checkOrder(last, n, req.GetSymbols()); err == nil && !yield(tick, nil) {
				return
			}
			last = &n
		}
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Unavailable, "the server ended the stream")
		}
		yield(nil, err)
	}
}

// checkOrder returns DataLoss if a server must not send tick n after tick
// last, which is nil before the first tick. Only a request for some symbols
// allows a gap.
func checkOrder(last *uint64, n uint64, symbols []string) error {
	if last == nil || n > *last && (n-*last == 1 || len(symbols) > 0) {
		return nil
	}
	return status.Errorf(codes.DataLoss, "the server sent tick %d after tick %d", n, *last)
}
