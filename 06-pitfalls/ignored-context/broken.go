// Package ignoredcontext shows handlers that outlive their clients; see README.md.
package ignoredcontext

import (
	"iter"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenFollow sends each update as it arrives.
func BrokenFollow(stream grpc.ServerStreamingServer[pitfallsv1.Number], updates <-chan int64) error {
	for n := range updates {
		if err := stream.Send(&pitfallsv1.Number{Value: n}); err != nil {
			return err
		}
	}
	return nil
}

// BrokenExport sends each row. Losing a row does no harm.
func BrokenExport(stream grpc.ServerStreamingServer[pitfallsv1.Number], rows iter.Seq[int64]) error {
	for n := range rows {
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
