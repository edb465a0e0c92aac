// Package fastlog is the log of chapter 02, made for many followers: it
// encodes each entry once, and sends the entries in batches.
//
// A [LogServer] offers the service of chapter 02, to every client of chapter
// 02, and the same entries in batches, to clients that [NewClient] returns.
// Package main installs [example.com/streams/07-production/throughput/bufcodec.Codec];
// without it, the entries are decoded and encoded again.
package fastlog

import (
	"bytes"
	"cmp"
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	fastlogv1 "example.com/streams/07-production/throughput/fastlog/v1"
)

// maxUnmarked is the number of entries after which a handler sends a
// bookmark, unless the log's retention is less than twice as many.
const maxUnmarked = 1000

// A LogServer implements LogService and BatchLogService; [LogServer.Register]
// registers both. It lets clients follow one log, each at its own speed. Set
// the fields before the first call. Methods may be called concurrently.
type LogServer struct {
	logsv1.UnimplementedLogServiceServer
	fastlogv1.UnimplementedBatchLogServiceServer

	// Log is the log. It must not be nil.
	Log *Log

	// BookmarkInterval is the time after which a handler sends a bookmark, if
	// the client asks for bookmarks. The default is 15 s. It should be shorter than the idle timeouts of
	// the proxies between the clients and the server.
	BookmarkInterval time.Duration
}

// Register adds both services to a server.
func (s *LogServer) Register(r grpc.ServiceRegistrar) {
	logsv1.RegisterLogServiceServer(r, s)
	fastlogv1.RegisterBatchLogServiceServer(r, s)
}

// StreamLogs does what StreamLogs of chapter 02 does, with the same statuses.
// Each message has one entry.
func (s *LogServer) StreamLogs(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	return s.follow(req, stream.Context(), func(batch []byte) error {
		for _, entry := range elements(batch) {
			m := &encoded{data: entry, message: new(logsv1.LogEntry)}
			if err := stream.SendMsg(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// StreamBatches does what StreamLogs does, with several entries in a message
// if they are there: at most 32 KiB, unless a single entry is larger. It does
// not wait for more.
func (s *LogServer) StreamBatches(
	req *logsv1.LogRequest, stream grpc.ServerStreamingServer[fastlogv1.LogBatch],
) error {
	return s.follow(req, stream.Context(), func(batch []byte) error {
		return stream.SendMsg(&encoded{data: batch, message: new(fastlogv1.LogBatch)})
	})
}

// follow sends what req asks for, in encoded batches. send must not change
// the bytes of a batch.
func (s *LogServer) follow(req *logsv1.LogRequest, ctx context.Context, send func(batch []byte) error) error {
	if n := len(req.GetContains()); n > logs.MaxLine {
		return status.Errorf(codes.InvalidArgument,
			"contains: must be at most %d bytes, got %d", logs.MaxLine, n)
	}
	f := newFollower(s, req, send)
	for ctx.Err() == nil {
		n, err := f.sendBatch() // what follows the cursor
		if err != nil {
			return err
		}
		if n > 0 {
			continue // there may be more
		}
		if !req.GetFollow() {
			return f.sendBookmark() // nil: the client's Recv returns io.EOF
		}
		if err := f.wait(ctx); err != nil { // for the next entry
			return err
		}
	}
	return status.FromContextError(ctx.Err()).Err()
}

// A follower is the state of one call.
type follower struct {
	log    *Log
	req    *logsv1.LogRequest
	send   func(batch []byte) error
	id     string // of the log that cursor belongs to; empty: not known
	cursor uint64 // the sequence of the last entry that was looked at

	// A bookmark is due at the time due, or when limit entries were looked
	// at since the last one.
	interval      time.Duration
	due           time.Time
	looked, limit int
}

func newFollower(s *LogServer, req *logsv1.LogRequest, send func([]byte) error) *follower {
	interval := cmp.Or(s.BookmarkInterval, 15*time.Second)
	return &follower{
		log: s.Log, req: req, send: send,
		id: req.GetLogId(), cursor: req.GetAfter(),
		interval: interval, due: time.Now().Add(interval),
		limit: max(1, min(maxUnmarked, len(s.Log.entries)/2)),
	}
}

// sendBatch looks at the entries that follow the cursor, and sends those that
// contain req.contains, and a bookmark if one is due. It returns how many
// entries it has looked at; 0: the cursor is at the newest entry.
func (f *follower) sendBatch() (int, error) {
	batch, n, last, err := f.log.read(f.id, f.cursor, f.limit-f.looked)
	if err != nil {
		return 0, err
	}
	f.id = f.log.id
	if f.req.GetContains() != "" {
		batch = matches(batch, f.req.GetContains())
	}
	if len(batch) > 0 {
		if err := f.send(batch); err != nil {
			return n, err // the call has ended
		}
	}
	f.cursor = last
	if f.looked += n; f.looked >= f.limit || !time.Now().Before(f.due) {
		return n, f.sendBookmark()
	}
	return n, nil
}

// matches returns a new batch of the entries whose message contains text. It
// copies them: what waits in a stream that nobody reads would otherwise keep
// a segment of the log in memory for each match.
func matches(batch []byte, text string) []byte {
	var found []byte
	for element, entry := range elements(batch) {
		if !bytes.Contains(entry, []byte(text)) {
			continue // no need to decode it
		}
		var e logsv1.LogEntry
		if err := proto.Unmarshal(entry, &e); err == nil && strings.Contains(e.GetMessage(), text) {
			found = append(found, element...)
		}
	}
	return found
}

// wait returns nil when an entry follows the cursor, when a bookmark is due,
// or when the call has ended.
//
// Unavailable: [Log.Drain] was called.
func (f *follower) wait(ctx context.Context) error {
	ctx, cancel := context.WithDeadline(ctx, f.due)
	defer cancel()
	if err := f.log.wait(ctx, f.cursor); err != nil {
		return cmp.Or(f.sendBookmark(), err)
	}
	return nil
}

// sendBookmark sends a batch that carries the cursor and no entry, if the
// client has asked for bookmarks.
func (f *follower) sendBookmark() error {
	if f.req.GetBookmarks() {
		batch, err := proto.Marshal(&fastlogv1.LogBatch{Entries: []*logsv1.LogEntry{
			{LogId: f.id, Sequence: f.cursor, Bookmark: true},
		}})
		if err != nil {
			return err
		}
		if err := f.send(batch); err != nil {
			return err
		}
	}
	f.looked, f.due = 0, time.Now().Add(f.interval)
	return nil
}
