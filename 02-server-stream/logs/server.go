// Package logs lets many clients follow a log: each client sends one
// request, and the server streams the entries that match.
package logs

import (
	"cmp"
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// maxUnmarked is about the number of entries after which a handler sends a
// bookmark, unless the log's retention is less than twice as many. A log
// that is full of the longest messages holds 2,048 entries.
const maxUnmarked = 1000

// A LogServer implements LogService. It lets clients follow one log, each at
// its own speed. Set the fields before the first call. Methods may be called
// concurrently.
type LogServer struct {
	logsv1.UnimplementedLogServiceServer

	// Log is the log. It must not be nil.
	Log *Log

	// BookmarkInterval is the time after which a handler sends a bookmark,
	// if the request asks for bookmarks. The default is 15 s. It should be
	// shorter than the idle timeouts of the proxies between the clients and
	// the server.
	BookmarkInterval time.Duration
}

// StreamLogs sends the entries that follow req.after, and then, if
// req.follow is true, new entries as they are appended. It sends only
// entries that contain req.contains.
//
// If req.bookmarks is true, StreamLogs also sends a bookmark after each
// BookmarkInterval, after about 1,000 entries that it has looked at, or half
// of the log's retention if that is fewer, and before it returns nil or
// Unavailable.
//
// OK: req.follow is false, and no entry follows. InvalidArgument:
// req.contains is longer than [MaxLine]. OutOfRange: the next entry is no
// longer held, req.after is ahead of the newest entry, or req.log_id is the
// id of another log. Unavailable: [Log.Drain] was called, or the
// connection closed while Send waited. Canceled, DeadlineExceeded: the context
// of the call ended.
func (s *LogServer) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	if n := len(req.GetContains()); n > MaxLine {
		return status.Errorf(codes.InvalidArgument,
			"contains: must be at most %d bytes, got %d", MaxLine, n)
	}
	f := newFollower(s, req, stream)
	for stream.Context().Err() == nil {
		n, err := f.sendBatch() // what follows the cursor
		if err != nil {
			return err
		}
		if n > 0 {
			continue // there may be more
		}
		if !req.GetFollow() {
			return f.sendBookmark() // a last one, if asked; nil ends the stream with OK
		}
		if err := f.wait(); err != nil { // for the next entry
			return err
		}
	}
	return status.FromContextError(stream.Context().Err()).Err()
}

// A follower is the state of one call of StreamLogs.
type follower struct {
	log    *Log
	req    *logsv1.LogRequest
	stream grpc.ServerStreamingServer[logsv1.LogEntry]
	id     string // of the log that cursor belongs to; empty: not known
	cursor uint64 // the sequence of the last entry that was looked at

	// While Send blocks, the batch stays in memory, even if the log drops
	// its entries. So the batch is small.
	batch [16]*logsv1.LogEntry

	// A bookmark is due at the time due, or when limit entries were looked
	// at since the last one.
	interval      time.Duration
	due           time.Time
	looked, limit int
}

func newFollower(
	s *LogServer, req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) *follower {
	interval := cmp.Or(s.BookmarkInterval, 15*time.Second)
	return &follower{
		log: s.Log, req: req, stream: stream,
		id: req.GetLogId(), cursor: req.GetAfter(),
		interval: interval, due: time.Now().Add(interval),
		limit: max(1, min(maxUnmarked, len(s.Log.entries)/2)),
	}
}

// sendBatch looks at the entries that follow the cursor, and sends those that
// contain req.contains, and a bookmark if one is due. It returns how many
// entries it has looked at; 0: the cursor is at the newest entry.
func (f *follower) sendBatch() (int, error) {
	n, last, err := f.log.read(f.id, f.cursor, f.batch[:])
	if err != nil {
		return 0, err
	}
	for _, e := range f.batch[:n] {
		if !strings.Contains(e.GetMessage(), f.req.GetContains()) {
			continue
		}
		if err := f.stream.Send(e); err != nil {
			return n, err // usually the call has ended
		}
	}
	f.id, f.cursor = f.log.id, last
	if f.looked += n; f.looked >= f.limit || !time.Now().Before(f.due) {
		return n, f.sendBookmark()
	}
	return n, nil
}

// wait returns nil when an entry follows the cursor, when a bookmark is due,
// when [Log.Drain] is called, or when the call has ended.
//
// Unavailable: Drain was called before, and no entry follows.
func (f *follower) wait() error {
	ctx, cancel := context.WithDeadline(f.stream.Context(), f.due)
	defer cancel()
	if err := f.log.wait(ctx, f.cursor); err != nil {
		return cmp.Or(f.sendBookmark(), err) // the error of Send, or why there is nothing to wait for
	}
	return nil
}

// sendBookmark sends a message that carries the cursor and no entry, if the
// client has asked for bookmarks.
func (f *follower) sendBookmark() error {
	if f.req.GetBookmarks() {
		err := f.stream.Send(&logsv1.LogEntry{LogId: f.id, Sequence: f.cursor, Bookmark: true})
		if err != nil {
			return err
		}
	}
	f.looked, f.due = 0, time.Now().Add(f.interval)
	return nil
}
