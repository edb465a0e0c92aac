// Package gracefulstop stops a server and leaves its streams to themselves.
//
// Symptom: the server gets SIGTERM, refuses new calls, and never exits, until
// somebody kills it and every stream with it.
//
// Cause: GracefulStop sends GOAWAY and then waits, without a limit, until no
// connection has a stream. It tells the handlers nothing: their context stays
// open, and their Recv waits on. A stream without an end of its own holds the
// server for as long as the client stays.
//
// Silence: with unary calls, or streams that end, GracefulStop returns at
// once. Nothing can know that the loop of this handler has no end.
//
// Fix: tell the handlers to finish, then wait, but not for ever: Stop ends a
// GracefulStop that still waits, and the streams with it.
//
// Threads: grpc-go#1355, grpc-go#5225, grpc-go#6569.
package gracefulstop

import (
	"time"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type brokenService struct{}

// BrokenTicker returns a service that sends a number each second.
func BrokenTicker() ticker {
	return &brokenService{}
}

// Count sends numbers until the client has had enough.
func (t *brokenService) Count(
	_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := int64(1); ; i++ {
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
		if err := stream.Send(&pitfallsv1.Number{Value: i}); err != nil {
			return err
		}
	}
}

// Shutdown lets open calls finish, then stops the server.
func (t *brokenService) Shutdown(s *grpc.Server) {
	s.GracefulStop()
}
