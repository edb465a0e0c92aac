// Package openisnotaccepted takes a stream that opens for one that the
// server accepts.
//
// Symptom: the fail-over works when a server is down, and never when a
// server refuses: wrong credentials, unknown method, overload.
//
// Cause: opening a stream queues a HEADERS frame and returns; the server has
// not seen the call. A refusal is a status, and Recv has it. Opening fails
// only for what the client knows itself: no connection, a deadline that has
// passed, metadata that is not allowed.
//
// Silence: the error is checked, and a server that is down does make it
// non-nil, so that the first test anyone thinks of passes.
//
// Fix: count a stream as accepted when the first message is there, or the
// header of a server that calls SendHeader early.
//
// Threads: grpc-go#1335, grpc-go#5326.
package openisnotaccepted

import (
	"context"
	"errors"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns the numbers from the first server that takes the call.
func BrokenCount(
	ctx context.Context, req *pitfallsv1.CountRequest,
	servers ...pitfallsv1.PitfallServiceClient,
) ([]int64, error) {
	var refusals error
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
