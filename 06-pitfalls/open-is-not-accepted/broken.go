// Package openisnotaccepted shows a failover that no refusal triggers; see README.md.
package openisnotaccepted

import (
	"context"
	"errors"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount is meant to return the numbers of the first server that accepts
// the call, or the errors of all servers.
func BrokenCount(
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
		return service.Values(stream)
	}
	return nil, refusals
}
