// Package ignoredcontext shows handlers that outlive their clients; see README.md.
package ignoredcontext

import (
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

// BrokenTick sends each update as it arrives. Losing an update does no harm,
// because the next one replaces it.
func BrokenTick(stream grpc.ServerStreamingServer[pitfallsv1.Number], updates <-chan int64) error {
	for n := range updates {
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
