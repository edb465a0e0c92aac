package logs

import (
	"context"
	"errors"
	"io"
	"iter"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// Tail returns an iterator over the entries that req asks for, as they
// arrive. Each loop over the iterator is one call of StreamLogs. Breaking
// out of the loop cancels the call. If the call does not end with OK, the
// last error is the status of the call.
func Tail(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest,
) iter.Seq2[*logsv1.LogEntry, error] {
	return func(yield func(*logsv1.LogEntry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // otherwise a break leaks the stream
		stream, err := c.StreamLogs(ctx, req)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			entry, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return // the server ended the call with OK
			}
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}
