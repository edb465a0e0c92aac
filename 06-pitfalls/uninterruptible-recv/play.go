package uninterruptiblerecv

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "uninterruptible-recv",
	Symptom: "a handler outlives its limit when the client is silent",
	Fix:     "Recv in a goroutine; the handler selects on the limit and returns",
	Broken:  play.Side{Server: limited(BrokenEcho, time.Second), Run: sayOne},
	Fixed:   play.Side{Server: limited(FixedEcho, time.Second), Run: sayOne},
}

type echo = func(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number], time.Duration) error

// limited is a server whose sessions may last as long as the limit.
func limited(echo echo, limit time.Duration) *service.Server {
	return &service.Server{
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			return echo(stream, limit)
		},
	}
}

// sayOne sends one number and waits for the server to end the call.
func sayOne(ctx context.Context, s *play.Stage) (any, error) {
	stream, err := s.Client.Echo(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return service.Values(stream)
}

// end makes of the error of Recv what a handler returns.
func end(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
