package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
)

// A Follower follows a log whose entries are "line 1", "line 2", ..., and
// counts what is wrong. Its methods may be called concurrently.
type Follower struct {
	mu       sync.Mutex
	counts   Counts
	logID    string
	sequence uint64
	arrived  time.Time     // the last entry, or the last call of Silence
	silence  time.Duration // the longest one since the last call of Silence
}

// Counts are what a follower has received.
type Counts struct {
	Received  int // entries
	Lost      int // lines that did not arrive before a later one
	Doubled   int // lines that had arrived before, or a later one had
	Misplaced int // entries whose sequence does not follow, or of another log
}

// Run follows the log until ctx ends. It returns nil then, and otherwise why
// it cannot go on.
func (f *Follower) Run(ctx context.Context, c logsv1.LogServiceClient) error {
	for e, err := range balancing.Follow(ctx, c, 0) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.add(e); err != nil {
			return err
		}
	}
	return nil
}

func (f *Follower) add(e *logsv1.LogEntry) error {
	var line int
	if _, err := fmt.Sscanf(e.GetMessage(), "line %d", &line); err != nil {
		return fmt.Errorf("entry %d: %w", e.GetSequence(), err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.counts.Received > 0 {
		f.silence = max(f.silence, now.Sub(f.arrived))
	} else {
		f.logID = e.GetLogId()
	}
	f.arrived = now
	if e.GetSequence() != f.sequence+1 || e.GetLogId() != f.logID {
		f.counts.Misplaced++
	}
	f.sequence = e.GetSequence()
	last := f.counts.Received + f.counts.Lost - f.counts.Doubled // the newest line
	if line <= last {
		f.counts.Doubled++
	} else {
		f.counts.Lost += line - last - 1
	}
	f.counts.Received++
	return nil
}

// Counts returns what the follower has received until now.
func (f *Follower) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// Silence returns the longest time without an entry since the last call,
// with the one that still lasts.
func (f *Follower) Silence() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	longest := max(f.silence, now.Sub(f.arrived))
	f.silence, f.arrived = 0, now
	return longest
}
