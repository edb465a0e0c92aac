// Package logs lets many clients follow a log: each client sends one
// request, and the server sends a response for each entry.
package logs

import (
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A LogServer implements LogService. It lets clients follow one log, each at
// its own speed. Set the fields before the first call. Methods may be called
// concurrently.
type LogServer struct {
	logsv1.UnimplementedLogServiceServer

	// Log is the log. It must not be nil.
	Log *Log
}

// StreamLogs sends the entries that follow req.after, and then, if
// req.follow is true, new entries as they are appended. It sends only
// entries that contain req.contains.
//
// OK: req.follow is false, and the newest entry was sent. InvalidArgument:
// req.contains is longer than [MaxLine]. OutOfRange: the next entry is no longer held, or req.after is ahead of the newest entry.
// Unavailable: [Log.Drain] was called. Canceled, DeadlineExceeded: the
// context of the call ended.
func (s *LogServer) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	if n := len(req.GetContains()); n > MaxLine {
		return status.Errorf(codes.InvalidArgument,
			"contains: must be at most %d bytes, got %d", MaxLine, n)
	}
	ctx := stream.Context()
	cursor := req.GetAfter()
	// While Send blocks, the batch stays in memory, even if the log drops
	// its entries. So the batch is small.
	batch := make([]*logsv1.LogEntry, 16)
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
