// Package serverstream asks once and is answered many times: a report that
// arrives in chunks, and a log that is followed live.
package serverstream

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A Log is an append-only log that all followers share. It holds the newest
// entries, up to its window, and gives them sequences from 1. A follower is
// no more than a sequence: the log does not know who reads it.
type Log struct {
	mu     sync.Mutex
	window []*entry // the entry with sequence s is at s % len(window)
	newest uint64
	grown  chan struct{} // closed when there is more to know
	closed bool
}

// NewLog returns an empty log that holds window entries, at least 1.
func NewLog(window int) *Log {
	return &Log{
		window: make([]*entry, max(1, window)),
		grown:  make(chan struct{}),
	}
}

// Append adds a line and wakes all who wait for one. Bytes that are not
// UTF-8 must have been replaced before. A closed log drops the line.
func (l *Log) Append(message string, partial bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.newest++
	l.window[l.newest%uint64(len(l.window))] = &entry{LogEntry: &logsv1.LogEntry{
		Sequence:  l.newest,
		Timestamp: timestamppb.New(time.Now()),
		Message:   message,
		Partial:   partial,
	}}
	close(l.grown)
	l.grown = make(chan struct{})
}

// Close ends the log: followers get what it holds, then Unavailable.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.grown)
	}
}

// read fills batch with the entries that follow the sequence after and
// returns how many there are. With after 0 it begins at the oldest.
//
// OutOfRange: the next entry is no longer held, or after is beyond the
// newest.
func (l *Log) read(after uint64, batch []*entry) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := uint64(len(l.window))
	oldest := max(l.newest, size) - size + 1
	if after == 0 {
		after = oldest - 1
	}
	switch {
	case after > l.newest:
		return 0, status.Errorf(codes.OutOfRange,
			"after: %d is beyond the newest entry, %d", after, l.newest)
	case after+1 < oldest:
		return 0, status.Errorf(codes.OutOfRange,
			"after: %d is gone, the oldest entry still held is %d", after, oldest)
	}
	n := 0
	for n < len(batch) && after < l.newest {
		after++
		batch[n] = l.window[after%size]
		n++
	}
	return n, nil
}

// wait returns nil when there is an entry that follows the sequence after.
//
// Canceled, DeadlineExceeded: ctx ended first. Unavailable: the log was
// closed, and everything in it has been read.
func (l *Log) wait(ctx context.Context, after uint64) error {
	l.mu.Lock()
	newest, grown, closed := l.newest, l.grown, l.closed
	l.mu.Unlock()
	if newest > after {
		return nil
	}
	if closed {
		return status.Errorf(codes.Unavailable,
			"the server is shutting down; resume after %d", after)
	}
	select {
	case <-grown:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}
