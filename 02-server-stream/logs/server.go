// Package logs serves a log that many clients follow live, each at its own
// speed.
package logs

import (
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// LogServer lets clients follow a log. gRPC calls its methods concurrently.
type LogServer struct {
	logsv1.UnimplementedLogServiceServer

	// Log is the log that clients follow. It must not be nil.
	Log *Log
}

// StreamLogs sends the entries that follow req.after, and then, if
// req.follow is true, new entries as they are appended. It sends only
// entries that contain req.contains.
//
// OK: req.follow is false, and the newest entry was sent. OutOfRange: the
// next entry is no longer held, or req.after is ahead of the newest.
// Unavailable: the log is draining. Canceled, DeadlineExceeded: the call has
// ended.
func (s *LogServer) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	ctx := stream.Context()
	cursor := req.GetAfter()
	batch := make([]*logsv1.LogEntry, 64)
	for ctx.Err() == nil {
		n, err := s.Log.read(cursor, batch)
		if err != nil {
			return err
		}
		for _, e := range batch[:n] {
			cursor = e.GetSequence()
			if !strings.Contains(e.GetMessage(), req.GetContains()) {
				continue
			}
			if err := stream.Send(e); err != nil {
				return err // the call has ended
			}
		}
		if n > 0 {
			continue
		}
		if !req.GetFollow() {
			return nil // OK: the client's Recv returns io.EOF
		}
		if err := s.Log.wait(ctx, cursor); err != nil {
			return err
		}
	}
	return status.FromContextError(ctx.Err()).Err()
}
