// Package journal is a log that keeps its newest lines. The exercise's
// service reads it.
package journal

import (
	"sync"
	"time"
)

// A Journal keeps the newest of the lines that are appended to it. New
// returns one. Its methods may be called concurrently.
type Journal struct {
	keep  int
	delay time.Duration

	mu     sync.Mutex
	texts  []string // the lines that are kept, oldest first
	newest uint64
}

// New returns an empty journal that keeps the newest lines, keep of them.
// Each call of [Journal.Line] takes delay, as reading from a slow disk does.
func New(keep int, delay time.Duration) *Journal {
	return &Journal{keep: keep, delay: delay}
}

// Append writes a line. The first line has the sequence 1, and each line one
// more than the line before it.
func (j *Journal) Append(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.newest++
	j.texts = append(j.texts, text)
	j.texts = j.texts[max(0, len(j.texts)-j.keep):]
}

// Range returns the sequences of the oldest line that the journal holds and
// of the newest one. An empty journal returns 1 and 0.
func (j *Journal) Range() (oldest, newest uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.oldest(), j.newest
}

// Line reads the line with the given sequence. ok is false if the journal
// does not hold the line. Line takes its time, and meanwhile other goroutines
// may append lines, so that the journal drops its oldest ones.
func (j *Journal) Line(sequence uint64) (text string, ok bool) {
	time.Sleep(j.delay)
	j.mu.Lock()
	defer j.mu.Unlock()
	oldest := j.oldest()
	if sequence < oldest || sequence > j.newest {
		return "", false
	}
	return j.texts[sequence-oldest], true
}

func (j *Journal) oldest() uint64 { return j.newest - uint64(len(j.texts)) + 1 }
