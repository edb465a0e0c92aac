package fastlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const (
	// MaxLogBytes is the limit of the messages that a [Log] holds: 64 MiB.
	// The segments take about a third more if each message has
	// [logs.MaxLine] bytes. An entry has up to 45 bytes beside its message,
	// and up to 40 outside the segment, so short messages take several times their
	// size.
	MaxLogBytes = 64 << 20

	// segmentSize is the size of the memory that entries share.
	segmentSize = 64 << 10

	// maxBatch is the limit of a batch of several entries: 32 KiB. It is a
	// size of gRPC's buffer pool, from which a client takes a buffer for it.
	maxBatch = 32 << 10
)

// A Log is the log of chapter 02, and encodes each entry once, in Append.
// The encoded entries stand side by side in memory, in the form that they
// have in a LogBatch, so that a batch is a slice of the log. Create a Log
// with [NewLog]. Methods may be called concurrently.
type Log struct {
	id string // random, because each Log numbers its entries from 1

	mu       sync.Mutex
	entries  []entry // the entry with sequence s is at s % len(entries)
	oldest   uint64  // the sequence of the oldest entry that is held
	newest   uint64  // the sequence of the newest entry; 0: no entry yet
	bytes    int     // of the messages that are held
	segment  []byte  // where the next entry is encoded, up to its capacity
	changed  chan struct{}
	draining bool
}

// An entry is the place of a LogEntry in a segment.
type entry struct {
	// encoded is an element of a LogBatch: a tag, a length, a LogEntry.
	// Its capacity reaches to the end of the segment, so encoded can be
	// sliced to include the entries that follow.
	encoded []byte
	first   bool // of its segment
	size    int  // of the message
}

// NewLog returns an empty log that holds at most retention entries. A
// retention of less than 1 counts as 1.
func NewLog(retention int) *Log {
	return &Log{
		id:      fmt.Sprintf("%08x", rand.Uint32()),
		entries: make([]entry, max(1, retention)),
		oldest:  1,
		changed: make(chan struct{}),
	}
}

// Append adds an entry and wakes all handlers that wait for one. It replaces
// what is not valid UTF-8 in the message with U+FFFD. The message must not be
// much longer than [logs.MaxLine], as [logs.Ingest] makes it. After Drain,
// Append does nothing.
func (l *Log) Append(message string, partial bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return
	}
	e := l.encode(&logsv1.LogEntry{
		Sequence:  l.newest + 1,
		Timestamp: timestamppb.New(time.Now()),
		Message:   strings.ToValidUTF8(message, "\uFFFD"),
		Partial:   partial,
		LogId:     l.id,
	})
	l.makeRoom(e.size)
	l.newest++
	l.entries[l.newest%uint64(len(l.entries))] = e
	close(l.changed) // wakes all handlers that wait
	l.changed = make(chan struct{})
}

// encode appends the entry to the segment, or to a new one if the segment
// has no room. Handlers may send older entries of the segment at the same
// time: nobody reads the memory behind the newest one.
func (l *Log) encode(m *logsv1.LogEntry) entry {
	size := proto.Size(m)
	first := false
	if needed := 1 + protowire.SizeBytes(size); needed > cap(l.segment)-len(l.segment) {
		first = true
		l.segment = make([]byte, 0, max(segmentSize, needed))
	}
	start := len(l.segment)
	l.segment = protowire.AppendTag(l.segment, 1, protowire.BytesType) // LogBatch.entries
	l.segment = protowire.AppendVarint(l.segment, uint64(size))
	l.segment, _ = proto.MarshalOptions{}.MarshalAppend(l.segment, m) // fails only if a string is not UTF-8
	return entry{l.segment[start:], first, len(m.GetMessage())}
}

// makeRoom drops the oldest entries until one more, with size bytes, fits.
func (l *Log) makeRoom(size int) {
	retention := uint64(len(l.entries))
	for l.newest+1-l.oldest >= retention || l.bytes+size > MaxLogBytes && l.oldest <= l.newest {
		e := &l.entries[l.oldest%retention]
		l.bytes -= e.size
		*e = entry{}
		l.oldest++
	}
	l.bytes += size
}

// Drain ends the streams of all followers that read. Each of them receives the
// entries that match and follow its cursor, and then Unavailable with the sequence to
// resume after, or OutOfRange if the next entry is no longer held. Drain
// does not wait for the followers. Only the first call has an effect.
func (l *Log) Drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.draining {
		l.draining = true
		close(l.changed)
	}
}

// read returns up to limit entries that follow the sequence after in the log
// id, encoded as a LogBatch, their number, and the sequence of the last one.
// The batch is a slice of the log, which nobody may change: it has at most
// 32 KiB, or one entry, and lies in one segment. If after is 0 and id
// is empty, read begins with the oldest entry.
//
// OutOfRange: the next entry is no longer held, after is ahead of the newest
// entry, or id is the id of another log.
func (l *Log) read(id string, after uint64, limit int) (batch []byte, n int, last uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case id == "" && after == 0:
		after = l.oldest - 1
	case id != "" && id != l.id:
		return nil, 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d belongs to another log; this log is %s", after, l.id)
	case after > l.newest:
		return nil, 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d is ahead of the newest, %d", after, l.newest)
	case after+1 < l.oldest:
		return nil, 0, 0, status.Errorf(codes.OutOfRange,
			"after: %d is no longer held; the oldest is %d", after, l.oldest)
	}
	for ; n < limit && after < l.newest; n++ {
		e := l.entries[(after+1)%uint64(len(l.entries))]
		if n > 0 && (e.first || len(batch)+len(e.encoded) > maxBatch) {
			break
		}
		if n == 0 {
			batch = e.encoded
		} else {
			batch = batch[:len(batch)+len(e.encoded)] // e follows in memory
		}
		after++
	}
	return slices.Clip(batch), n, after, nil
}

// wait returns nil when the log has an entry that follows the sequence after,
// when Drain is called, or when ctx has ended.
//
// Unavailable: [Log.Drain] was called before, and the follower has read the
// whole log.
func (l *Log) wait(ctx context.Context, after uint64) error {
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

// elements returns the elements of an encoded LogBatch: each with its tag and
// its length, and the LogEntry alone.
func elements(batch []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(element, entry []byte) bool) {
		for len(batch) > 0 {
			size, n := binary.Uvarint(batch[1:]) // behind the tag
			start := 1 + n
			end := start + int(size)
			if !yield(batch[:end], batch[start:end]) {
				return
			}
			batch = batch[end:]
		}
	}
}
