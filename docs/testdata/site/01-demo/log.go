// Package demo is a fixture.
package demo

import _ "embed"

// Log holds entries.
type Log[T any] struct {
	entries []T // oldest first
}

// Append adds an entry.
func (l *Log[T]) Append(entry T) {
	l.entries = append(l.entries, entry)
}

// Limits of a log.
const (
	Max = 10
	Min = 1
)

// Sample is what the tests read.
//
//go:embed sample.log
var Sample string // a few lines

// Follow has two loops.
func Follow() {
	for i := range 2 {
		use(i)
	}

	for j := range 3 {
		use(j)
	}
	use(`
  
`)
}
