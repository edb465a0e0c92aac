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
// out of the loop cancels the call. Unless the loop breaks, a status other than
// OK is the error of the last pair.
//
// Tail asks for bookmarks. It sets req.LogId and req.After to each entry
// before it yields the entry, and to each bookmark, which it does not yield.
// So the next loop with req resumes after the last of them, even if the loop
// broke at that entry. Until a loop ends, nobody else may use req.
func Tail(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest,
) iter.Seq2[*logsv1.LogEntry, error] {
	return func(yield func(*logsv1.LogEntry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // otherwise a break leaks the stream
		req.Bookmarks = true
		stream, err := c.StreamLogs(ctx, req)
		for err == nil {
			var e *logsv1.LogEntry
			if e, err = stream.Recv(); err != nil {
				break
			}
			req.LogId, req.After = e.GetLogId(), e.GetSequence()
			if !e.GetBookmark() && !yield(e, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) { // io.EOF: the server ended the call with OK
			yield(nil, err)
		}
	}
}
