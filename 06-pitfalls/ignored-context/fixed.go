package ignoredcontext

import (
	"iter"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedFollow sends each update as it arrives.
func FixedFollow(stream grpc.ServerStreamingServer[pitfallsv1.Number], updates <-chan int64) error {
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case n, ok := <-updates:
			if !ok {
				return nil
			}
			if err := stream.Send(&pitfallsv1.Number{Value: n}); err != nil {
				return err
			}
		}
	}
}

// FixedExport sends each row. Losing a row does no harm.
func FixedExport(stream grpc.ServerStreamingServer[pitfallsv1.Number], rows iter.Seq[int64]) error {
	for n := range rows {
		if err := stream.Send(&pitfallsv1.Number{Value: n}); err != nil {
			return err // the stream has ended
		}
	}
	return nil
}

// FixedReport adds up the pages and sends the sum.
func FixedReport(stream grpc.ServerStreamingServer[pitfallsv1.Number], pages int64, page func(int64) int64) error {
	var sum int64
	for i := range pages {
		if err := stream.Context().Err(); err != nil {
			return err
		}
		sum += page(i)
	}
	return stream.Send(&pitfallsv1.Number{Value: sum})
}
