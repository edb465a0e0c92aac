package toomanypings

import (
	"context"
	"time"

	"example.com/streams/06-pitfalls/internal/play"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:     "too-many-pings",
	Symptom:  "with keepalive on, quiet streams die within a minute",
	Fix:      "ping no more often than the server allows, every 5 minutes",
	Patience: time.Minute, // a client pings every 10 seconds at most
	Broken:   play.Side{DialOptions: BrokenDialOptions(), Run: run},
	Fixed:    play.Side{DialOptions: FixedDialOptions(), Run: run},
}

func run(ctx context.Context, s *play.Stage) (any, error) {
	stream, err := s.Client.Echo(ctx)
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := stream.Recv()
		ended <- err
	}()
	select {
	case err := <-ended:
		return nil, err
	case <-time.After(50 * time.Second):
		return "the stream is open", nil
	}
}
