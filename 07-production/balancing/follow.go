package balancing

import (
	"context"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// Follow returns an iterator over the entries after the sequence after. When
// a stream ends with Unavailable or OK, Follow waits for 50 to 150 ms, so that the
// clients of a server that stops do not come back all at once, and opens a
// new stream where the old one ended. The last error is any other status.
// All servers must have the same log.
func Follow(ctx context.Context, c logsv1.LogServiceClient, after uint64) iter.Seq2[*logsv1.LogEntry, error] {
	return func(yield func(*logsv1.LogEntry, error) bool) {
		req := &logsv1.LogRequest{After: after, Follow: true}
		for {
			for e, err := range logs.Tail(ctx, c, req) {
				if status.Code(err) == codes.Unavailable {
					break
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
			select {
			case <-time.After(50*time.Millisecond + rand.N(100*time.Millisecond)):
			case <-ctx.Done():
				yield(nil, status.FromContextError(ctx.Err()).Err())
				return
			}
		}
	}
}
