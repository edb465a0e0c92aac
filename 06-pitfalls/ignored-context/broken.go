// Package ignoredcontext goes on working for a client that has left.
//
// Symptom: goroutines and memory grow with every client that ever came;
// a report that nobody waits for keeps a processor busy.
//
// Cause: a cancel, a deadline or a lost connection ends the handler's
// context, and nothing else. The handler has to look: where it waits, where
// it works, and at the error of Send, which fails once the client is gone.
//
// Silence: a handler may outlive its client on purpose, say to finish a
// write, so no tool can tell. The client sees its own Canceled at once.
//
// Fix: wait with select on Context().Done(), return Send's error, and look
// at Context().Err() between two steps of work, or hand the context down.
//
// Threads: grpc-go#1884, grpc-go#5671, grpc-go#6921.
package ignoredcontext

import (
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFollow sends the news as they come.
func BrokenFollow(stream grpc.ServerStreamingServer[pitfallsv1.Number], news <-chan int64) error {
	for n := range news {
		if err := stream.Send(&pitfallsv1.Number{Value: n}); err != nil {
			return err
		}
	}
	return nil
}

// BrokenTick sends the news as they come. The next ones make up for any
// that are lost.
func BrokenTick(stream grpc.ServerStreamingServer[pitfallsv1.Number], news <-chan int64) error {
	for n := range news {
		if err := stream.Send(&pitfallsv1.Number{Value: n}); err != nil {
			continue
		}
	}
	return nil
}

// BrokenReport adds up the pages and sends the sum.
func BrokenReport(stream grpc.ServerStreamingServer[pitfallsv1.Number], pages int64, page func(int64) int64) error {
	var sum int64
	for i := range pages {
		sum += page(i)
	}
	return stream.Send(&pitfallsv1.Number{Value: sum})
}
