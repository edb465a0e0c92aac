package cancellation

import (
	"math/rand/v2"
	"time"
)

// A Backoff says how long to wait before the next attempt.
type Backoff struct {
	Base time.Duration // the longest first wait; 0: 100 ms
	Max  time.Duration // the longest wait of all; 0: 30 s
}

// Wait returns how long to wait after n failures in a row, n ≥ 1: a random
// time below Base × 2^(n-1), or below Max if that is less.
//
// All of the wait is random ("full jitter"), so that the clients of a server
// that went away do not come back in step.
func (b Backoff) Wait(n int) time.Duration {
	return rand.N(b.limit(n))
}

func (b Backoff) limit(n int) time.Duration {
	limit, most := b.Base, b.Max
	if limit <= 0 {
		limit = 100 * time.Millisecond
	}
	if most <= 0 {
		most = 30 * time.Second
	}
	for range n - 1 {
		if limit >= most {
			break
		}
		limit *= 2
	}
	return min(limit, most)
}
