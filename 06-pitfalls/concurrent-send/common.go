package concurrentsend

import (
	"context"
	"errors"
	"io"
	"time"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

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

// beat sends a zero every 500 ms, until ctx is done.
func beat(ctx context.Context, send func(*pitfallsv1.Number) error) {
	for {
		select {
		case <-time.After(500 * time.Millisecond):
			_ = send(&pitfallsv1.Number{}) // after an error, ctx is done too
		case <-ctx.Done():
			return
		}
	}
}

// readSlowly asks for 100 numbers of 10 KiB, and pauses for 10 ms after each
// message. It returns how many numbers arrived, and how many heartbeats
// arrived after the last number.
func readSlowly(
	ctx context.Context, c pitfallsv1.PitfallServiceClient,
) (numbers, heartbeats int, err error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 100, Padding: 10 << 10})
	if err != nil {
		return 0, 0, err
	}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return numbers, heartbeats, nil
		}
		if err != nil {
			return numbers, heartbeats, err
		}
		if n.GetValue() == 0 {
			heartbeats++
		} else {
			numbers++
			heartbeats = 0
		}
		time.Sleep(10 * time.Millisecond)
	}
}
