package logs

import (
	"context"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// NewCopy returns an empty copy of the log with an id, which is kept
// elsewhere. Its first entry is the one that follows the sequence after. Fill
// the copy with [Log.Add]. A retention of less than 1 counts as 1.
func NewCopy(id string, retention int, after uint64) *Log {
	l := NewLog(retention)
	l.id, l.oldest, l.newest = id, after+1, after
	return l
}

// Add is [Log.Append] for an entry that has its timestamp. Add sets its
// sequence and its log_id. From then on, nobody may modify the entry.
func (l *Log) Add(e *logsv1.LogEntry) { l.add(e) }

// Wait returns nil when the log has an entry that follows the sequence
// after, when Drain is called, or when ctx has ended.
//
// Unavailable, even if ctx has ended: [Log.Drain] was called before, and the
// follower has read the whole log.
func (l *Log) Wait(ctx context.Context, after uint64) error { return l.wait(ctx, after) }
