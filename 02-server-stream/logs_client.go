package serverstream

import (
	"context"
	"errors"
	"io"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// Follow calls show with each entry as it arrives. It returns nil when the
// server has sent all that was asked for, else the status that ended the
// stream. If show fails, Follow cancels the stream and returns that error.
func Follow(
	ctx context.Context, c logsv1.LogServiceClient,
	req *logsv1.LogRequest, show func(*logsv1.LogEntry) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // without it, a return from the loop leaks the stream
	stream, err := c.StreamLogs(ctx, req)
	if err != nil {
		return err
	}
	for {
		entry, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := show(entry); err != nil {
			return err
		}
	}
}
