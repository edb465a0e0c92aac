package proxies

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A Watchdog is a client of LogService that ends a stream on which nothing
// arrives, not even a bookmark. Pass it to [logs.Tail] in the place of the
// client that it holds. Set the fields before the first call. Methods may be
// called concurrently.
type Watchdog struct {
	logsv1.LogServiceClient

	// Limit is the time that Recv may wait. It should be more than twice
	// the server's BookmarkInterval.
	Limit time.Duration
}

// StreamLogs opens a stream whose Recv returns DeadlineExceeded, and cancels
// the call, if nothing arrives within the limit. A caller that stops reading
// before Recv has returned an error must cancel ctx.
func (w *Watchdog) StreamLogs(
	ctx context.Context, req *logsv1.LogRequest, opts ...grpc.CallOption,
) (grpc.ServerStreamingClient[logsv1.LogEntry], error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := w.LogServiceClient.StreamLogs(ctx, req, opts...)
	if err != nil {
		cancel()
		return nil, err
	}
	return &watchedStream{stream, w.Limit, cancel}, nil
}

type watchedStream struct {
	grpc.ServerStreamingClient[logsv1.LogEntry]
	limit  time.Duration
	cancel context.CancelFunc
}

// Recv implements [grpc.ServerStreamingClient]. Time that passes between two
// calls of Recv does not count.
func (s *watchedStream) Recv() (*logsv1.LogEntry, error) {
	timer := time.AfterFunc(s.limit, s.cancel)
	e, err := s.ServerStreamingClient.Recv()
	if !timer.Stop() { // err may only say that the timer canceled the call
		return nil, status.Errorf(codes.DeadlineExceeded,
			"the server sent nothing for %v", s.limit)
	}
	if err != nil {
		s.cancel() // the call has ended; the context is of no more use
	}
	return e, err
}
