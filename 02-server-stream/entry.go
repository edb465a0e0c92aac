package serverstream

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// An entry is a LogEntry that is encoded once, not once a follower.
type entry struct {
	*logsv1.LogEntry

	once    sync.Once
	encoded grpc.PreparedMsg
	err     error
}

// sendEncoded sends the encoding that all streams share; the first caller
// makes it.
func (e *entry) sendEncoded(stream grpc.ServerStream) error {
	e.once.Do(func() { e.err = e.encoded.Encode(stream, e.LogEntry) })
	if e.err != nil {
		return e.err
	}
	return stream.SendMsg(&e.encoded)
}

// compresses reports whether the stream compresses what it sends. A
// PreparedMsg is compressed as its first stream is, and wrong on others.
func compresses(ctx context.Context) bool {
	s, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ SendCompress() string })
	return !ok || s.SendCompress() != "" && s.SendCompress() != "identity"
}
