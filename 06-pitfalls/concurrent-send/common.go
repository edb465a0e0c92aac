package concurrentsend

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

const (
	heartbeat = 500 * time.Millisecond
	pause     = 10 * time.Millisecond // of a reader, after each message
)

// A reader counts what it has read. Its fields may be read while it reads.
type reader struct{ numbers, heartbeats atomic.Int64 }

// read asks for numbers of 10 KiB, and reads slowly until the stream ends.
func (r *reader) read(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to, Padding: 10 << 10})
	if err != nil {
		return err
	}
	for ; ; time.Sleep(pause) {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n.GetValue() == 0 {
			r.heartbeats.Add(1)
		} else {
			r.numbers.Add(1)
		}
	}
}

// beat sends a zero after each heartbeat, until ctx is done.
func beat(ctx context.Context, send func(*pitfallsv1.Number) error) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := send(&pitfallsv1.Number{}); err != nil {
				return
			}
		}
	}
}

// count sends the numbers that req asks for.
func count(req *pitfallsv1.CountRequest, send func(*pitfallsv1.Number) error) error {
	padding := make([]byte, req.GetPadding())
	for i := range req.GetTo() {
		if err := send(&pitfallsv1.Number{Value: i + 1, Padding: padding}); err != nil {
			return err
		}
	}
	return nil
}
