// Package retrypolicy leaves the retries of a stream to the service config.
//
// Symptom: with a retry policy unary calls survive the restart of a server;
// streams end with Unavailable all the same.
//
// Cause: grpc retries a call only until the first headers from the server
// arrive, be there a message with them or not. Then the call is committed:
// you may have seen what came, and grpc cannot know whether you want it again.
// A call is also committed once it has sent more than it keeps for a repeat,
// 256 KiB. Then no policy helps.
//
// Silence: the policy is valid, and it does work for the calls and the
// failures of most tests: a server that is not there yet.
//
// Fix: in your own loop, open a new stream from the last message you have. It
// is best if the request can say where to go on; else skip what you had.
//
// Threads: grpc-go#8328, grpc-go#3946.
package retrypolicy

import (
	"context"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns the numbers from 1 to to. Its connection has a policy
// that makes 3 attempts.
func BrokenCount(ctx context.Context, c pitfallsv1.PitfallServiceClient, to int64) ([]int64, error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: to})
	if err != nil {
		return nil, err
	}
	return service.Values(stream)
}
