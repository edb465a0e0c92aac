package streamquota

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "stream-quota",
	Symptom: "at so many streams every new call hangs, without an error",
	Fix:     "spread long streams over several connections",
	Broken:  side(func(d dialer) pool { return &BrokenPool{dial: d} }),
	Fixed:   side(func(d dialer) pool { return &FixedPool{dial: d} }),
}

// The server allows quota streams at once on a connection.
const quota = 10

// perConn is how many streams the client opens on a connection. It leaves
// some for unary calls.
const perConn = quota - 2

type (
	pool interface {
		Open(context.Context) (stream, error)
	}
	dialer = func() (*grpc.ClientConn, error)
	stream = grpc.ServerStreamingClient[pitfallsv1.Number]
)

func side(newPool func(dialer) pool) play.Side {
	run := func(ctx context.Context, s *play.Stage) (any, error) {
		p := newPool(func() (*grpc.ClientConn, error) {
			conn, err := s.Server.NewClient()
			if err == nil {
				context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		})
		got, err := open(ctx, p, quota+1)
		return fmt.Sprintf("%d of %d streams have begun", len(got), quota+1), err
	}
	return play.Side{
		Server:        followed,
		ServerOptions: []grpc.ServerOption{grpc.MaxConcurrentStreams(quota)},
		Run:           run,
	}
}

// open opens n streams and waits for the first number of each.
func open(ctx context.Context, p pool, n int) ([]stream, error) {
	var streams []stream
	for range n {
		s, err := p.Open(ctx)
		if err != nil {
			return streams, err
		}
		if _, err := s.Recv(); err != nil {
			return streams, err
		}
		streams = append(streams, s)
	}
	return streams, nil
}

// followed is a service whose Count sends a number and stays.
var followed = &service.Server{OnCount: func(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	if err := stream.Send(&pitfallsv1.Number{Value: 1}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}}
