package openisnotaccepted

import (
	"context"
	"errors"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// FixedCount returns the numbers of the first server that accepts the call,
// or the errors of all servers.
func FixedCount(
	ctx context.Context, req *pitfallsv1.CountRequest,
	servers ...pitfallsv1.PitfallServiceClient,
) ([]int64, error) {
	refusals := errors.New("no server has accepted the call")
	for _, s := range servers {
		stream, err := s.Count(ctx, req)
		if err != nil {
			refusals = errors.Join(refusals, err)
			continue
		}
		values, err := service.Values(stream)
		if err != nil && len(values) == 0 {
			refusals = errors.Join(refusals, err)
			continue
		}
		return values, err
	}
	return nil, refusals
}
