package logs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// MaxLogBytes is the limit of the messages that a [Log] holds: 64 MiB. A
// longer message is held alone.
const MaxLogBytes = 64 << 20

// A Log is an append-only log in memory that all followers share. It numbers
// its entries, those of [NewLog] from 1, and holds the newest of them: as many as its retention,
// or fewer if their messages would exceed [MaxLogBytes].
// A Log does not know its followers: each handler remembers the sequence of
// the last entry that it has read. Create a Log with [NewLog]. Methods may
// be called concurrently.
type Log struct {
	id string // random, because new logs begin at 1; a copy has that of its log

	mu       sync.Mutex
	entries  []*logsv1.LogEntry // the entry with sequence s is at s % len(entries)
	oldest   uint64             // the sequence of the oldest entry that is held
	newest   uint64             // the sequence of the newest entry; 0: no entry yet
	bytes    int                // of the messages that are held
	changed  chan struct{}      // closed by the next Append or Drain
	draining bool
}

// NewLog returns an empty log that holds at most retention entries. A
// retention of less than 1 counts as 1.
func NewLog(retention int) *Log {
	return &Log{
		id:      fmt.Sprintf("%08x", rand.Uint32()),
		entries: make([]*logsv1.LogEntry, max(1, retention)),
		oldest:  1,
		changed: make(chan struct{}),
	}
}

// Append adds an entry and wakes all handlers that wait for one. The message
// must be valid UTF-8, and at most twice as long as [MaxLine], as [Ingest] makes
// it. After Drain, Append does nothing.
func (l *Log) Append(message string, partial bool) {
	l.add(&logsv1.LogEntry{
		Timestamp: timestamppb.New(time.Now()),
		Message:   message,
		Partial:   partial,
	})
}

func (l *Log) add(e *logsv1.LogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return
	}
	l.makeRoom(len(e.GetMessage()))
	e.Sequence, e.LogId = l.newest+1, l.id
	l.newest++
	l.entries[l.newest%uint64(len(l.entries))] = e
	close(l.changed) // wakes all handlers that wait
	l.changed = make(chan struct{})
}

// makeRoom drops the oldest entries until one more, with size bytes, fits.
func (l *Log) makeRoom(size int) {
	retention := uint64(len(l.entries))
	for l.newest+1-l.oldest >= retention || l.bytes+size > MaxLogBytes && l.oldest <= l.newest {
		e := &l.entries[l.oldest%retention]
		l.bytes -= len((*e).GetMessage())
		*e = nil
		l.oldest++
	}
	l.bytes += size
}

// Drain ends the streams of all followers that read. Each of them receives the
// entries that match and follow its cursor, and then Unavailable with the sequence to
// resume after, or OutOfRange if the next entry is no longer held. Drain does not wait for the followers. Only the first call has an effect.
func (l *Log) Drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.draining {
		l.draining = true
		close(l.changed)
	}
}

// read copies to batch the entries that follow the sequence after in the log
// id, and returns their number and the sequence of the last one, or of the
// entry that the next one follows. If after is 0 and id is empty, read begins
// with the oldest entry. All followers share the entries, so nobody may
// modify them.
//
// OutOfRange: the next entry is no longer held, after is ahead of the newest
// entry, or id is the id of another log.
func (l *Log) read(id string, after uint64, batch []*logsv1.LogEntry) (n int, last uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case id == "" && after == 0:
		after = l.oldest - 1
	case id != "" && id != l.id:
		return 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d belongs to another log; this log is %s", after, l.id)
	case after > l.newest:
		return 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d is ahead of the newest, %d", after, l.newest)
	case after+1 < l.oldest:
		return 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d is no longer held; the oldest is %d", after, l.oldest)
	}
	for n < len(batch) && after < l.newest {
		after++
		batch[n] = l.entries[after%uint64(len(l.entries))]
		n++
	}
	return n, after, nil
}

// wait returns nil when the log has an entry that follows the sequence
// after, when Drain is called, or when ctx has ended.
//
// Unavailable, even if ctx has ended: [Log.Drain] was called before, and the
// follower has read the whole log.
func (l *Log) wait(ctx context.Context, after uint64) error {
	// Read together, so that an entry which is added later closes changed.
	l.mu.Lock()
	newest, changed, draining := l.newest, l.changed, l.draining
	l.mu.Unlock()
	if newest > after {
		return nil
	}
	if draining {
		return status.Errorf(codes.Unavailable,
			"shutting down; resume after %d", after)
	}
	select {
	case <-changed:
	case <-ctx.Done():
	}
	return nil
}
