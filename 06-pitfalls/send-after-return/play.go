package sendafterreturn

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "send-after-return",
	Symptom: "the client gets OK and no messages; the server logs Canceled",
	Fix:     "return from the handler once the last sender has ended",
	Broken:  side(BrokenCount),
	Fixed:   side(FixedCount),
}

type count = func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number], func(error)) error

func side(count count) play.Side {
	var failure atomic.Value // the error of Send
	return play.Side{
		Server: serving(count, func(err error) { failure.Store(err) }),
		Alone:  true, // what Send returns is asked here, not over the wire
		Run: func(ctx context.Context, s *play.Stage) (any, error) {
			stream, err := s.Client.Count(ctx, &pitfallsv1.CountRequest{To: 3})
			if err != nil {
				return nil, err
			}
			got, err := service.Values(stream)
			time.Sleep(200 * time.Millisecond)
			return fmt.Sprintf("client: %v, error %v; server: error %v", got, err, failure.Load()), nil
		},
	}
}

// serving is a server with the handler.
func serving(count count, failed func(error)) *service.Server {
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			return count(req, stream, failed)
		},
	}
}
