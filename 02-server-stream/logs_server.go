package serverstream

import (
	"context"
	"strings"

	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// LogServer lets clients follow Log.
type LogServer struct {
	logsv1.UnimplementedLogServiceServer

	Log *Log
}

// StreamLogs sends the entries that follow req.after, then new ones as they
// are appended. It ends with OK only if req.follow is false; otherwise with
// Canceled, DeadlineExceeded, OutOfRange (the follower fell out of the
// window) or Unavailable (the log was closed).
func (s *LogServer) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	send := func(e *entry) error { return e.sendEncoded(stream) }
	if compresses(stream.Context()) {
		send = func(e *entry) error { return stream.Send(e.LogEntry) }
	}
	return s.follow(stream.Context(), req, send)
}

// follow calls send with each entry that req asks for.
func (s *LogServer) follow(
	ctx context.Context, req *logsv1.LogRequest, send func(*entry) error,
) error {
	cursor := req.GetAfter()
	batch := make([]*entry, 64)
	for {
		n, err := s.Log.read(cursor, batch)
		if err != nil {
			return err
		}
		for _, e := range batch[:n] {
			cursor = e.GetSequence()
			if !strings.Contains(e.GetMessage(), req.GetContains()) {
				continue
			}
			if err := send(e); err != nil {
				return err // the stream is over; its context says why
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
}
