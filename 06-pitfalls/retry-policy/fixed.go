package retrypolicy

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns the numbers from 1 to to. It opens up to 3 streams, as
// long as they end with Unavailable. While no server can be reached, FixedCount
// waits, until ctx is done.
func FixedCount(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) ([]int64, error) {
	var got []int64
	for attempt := 1; ; attempt++ {
		stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to}, grpc.WaitForReady(true))
		if err != nil {
			return got, err
		}
		values, err := service.Values(stream)
		got = append(got, values[min(len(got), len(values)):]...) // skip the numbers in got
		if status.Code(err) != codes.Unavailable || attempt == 3 {
			return got, err
		}
		select {
		case <-time.After(time.Duration(attempt) * 100 * time.Millisecond):
		case <-ctx.Done():
			return got, status.FromContextError(ctx.Err()).Err()
		}
	}
}
