package proxies

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// Heartbeats is a LogService whose streams are never quiet: when a stream
// has carried nothing for a while, it carries a heartbeat. A heartbeat is an
// entry without a sequence, because the entries of the log count from 1. Set
// the fields before the first call. Methods may be called concurrently.
type Heartbeats struct {
	logsv1.LogServiceServer // sends the entries

	// Every is the time between two messages, at most. It must be more
	// than 0, and less than half of the shortest idle clock on the way.
	Every time.Duration
}

// StreamLogs sends what the LogServiceServer sends, and heartbeats. The
// status is that of the LogServiceServer.
func (h *Heartbeats) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	b := &beating{
		ServerStreamingServer: stream,
		every:                 h.Every,
		timer:                 time.NewTimer(h.Every),
		turn:                  make(chan struct{}, 1),
	}
	defer b.timer.Stop()
	ctx, stop := context.WithCancel(stream.Context())
	stopped := make(chan struct{})
	go func() { b.beat(ctx); close(stopped) }()
	err := h.LogServiceServer.StreamLogs(req, b)
	stop()
	<-stopped // nobody may send after the handler has returned
	return err
}

// beating is a stream with two senders, which take turns.
type beating struct {
	grpc.ServerStreamingServer[logsv1.LogEntry]
	every time.Duration
	timer *time.Timer   // fires when the stream has been quiet
	turn  chan struct{} // holds one value while somebody sends
}

// Send sends the entry and restarts the timer.
func (b *beating) Send(e *logsv1.LogEntry) error {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	defer b.timer.Reset(b.every)
	return b.ServerStreamingServer.Send(e)
}

func (b *beating) beat(ctx context.Context) {
	for {
		select {
		case <-b.timer.C:
			if b.Send(&logsv1.LogEntry{}) != nil {
				return // the call has ended
			}
		case <-ctx.Done():
			return
		}
	}
}

// Tail is [logs.Tail] without the heartbeats. If nothing arrives within the
// time limit, not even a heartbeat, the last error is DeadlineExceeded. The
// time that the body of the loop takes does not count. limit must be at least
// twice the time between two heartbeats.
func Tail(
	ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, limit time.Duration,
) iter.Seq2[*logsv1.LogEntry, error] {
	return func(yield func(*logsv1.LogEntry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		timer := time.AfterFunc(limit, cancel)
		defer timer.Stop()
		for e, err := range logs.Tail(ctx, c, req) {
			if !timer.Stop() { // err only says that the timer canceled the call
				yield(nil, status.Errorf(codes.DeadlineExceeded, "the server sent nothing for %v", limit))
				return
			}
			heartbeat := err == nil && e.GetSequence() == 0
			if !heartbeat && !yield(e, err) {
				return
			}
			timer.Reset(limit)
		}
	}
}
