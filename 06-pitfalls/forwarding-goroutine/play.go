package forwardinggoroutine

import (
	"context"
	"time"

	"example.com/streams/06-pitfalls/internal/play"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "forwarding-goroutine",
	Symptom: "the client's goroutines pile up in chan send",
	Fix:     "select on the context beside each send to the channel",
	Broken:  play.Side{Run: run(BrokenCount)},
	Fixed:   play.Side{Run: run(FixedCount)},
}

// An item is a number, or the error that ended the numbers.
type item struct {
	value int64
	err   error
}

type count = func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest) (<-chan item, error)

func run(count count) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		items, err := giveUp(ctx, s.Client, count)
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Second)
		if _, left := <-items; left {
			for range items { // the rest, so that it ends
			}
			return "a second after the cancel, the goroutine was still in chan send", nil
		}
		return "a second after the cancel, the goroutine had ended", nil
	}
}

// giveUp reads one of many numbers and cancels the rest, while the second
// waits to be read.
func giveUp(ctx context.Context, c pitfallsv1.PitfallServiceClient, count count) (<-chan item, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	items, err := count(ctx, c, &pitfallsv1.CountRequest{To: 1000})
	if err != nil {
		return nil, err
	}
	first := <-items
	time.Sleep(100 * time.Millisecond)
	return items, first.err
}
