// Package harness measures ways to do the same work, in turns, so that what
// else happens on the machine for long meets all of them alike.
package harness

import (
	"context"
	"errors"
	"slices"
)

// A Comparison is one question, and the contenders that answer it by doing
// the same work.
type Comparison struct {
	Name  string // of its result files, such as "message-16B"
	Title string // of its plot
	Op    string // what one operation is, such as "one message"

	// Unit is the metric that is compared, such as "ns/op". Less is better.
	// The harness reports cpu-ns/op of each sample, and ns/op only if that is
	// the Unit, because otherwise the time has another reason. Do reports any
	// other Unit.
	Unit string

	// Bytes of one operation, for MB/s; 0: none.
	Bytes int

	// N and ShortN are the numbers of operations of one sample. If N is 0,
	// the harness chooses N so that a sample takes about Options.Sample.
	N, ShortN int

	// Contenders do the work. The ratios compare each with the first.
	Contenders []Contender
}

// A Contender is one way to do the work of a comparison.
type Contender struct {
	Name string // without blanks, such as "stream"

	// Start prepares a sample: it listens and connects. It calls Defer for
	// what ends again. A sample has its own Start, so that nothing of one
	// contender runs while another one is measured.
	Start func(r *Run) (Do, error)
}

// Do does n operations, checks that all work has been done, and returns what
// it has measured itself, if anything.
type Do func(n int) ([]Metric, error)

// A Metric is a value with its unit, such as 229 and "ns/op". A unit has no
// blanks.
type Metric struct {
	Unit  string
	Value float64
}

// A Run is one sample of one contender. Its methods must not be called
// concurrently.
type Run struct {
	// Context ends when the sample has taken too long, or the context of
	// Measure ends.
	Context context.Context
	// Short says that this is a check, and not a measurement.
	Short bool

	deferred []func() error
	servers  []*Process
}

// Defer adds a function that is called when the sample has ended, the last
// one first.
func (r *Run) Defer(f func() error) { r.deferred = append(r.deferred, f) }

func (r *Run) close() error {
	var errs []error
	for _, f := range slices.Backward(r.deferred) {
		errs = append(errs, f())
	}
	r.deferred, r.servers = nil, nil
	return errors.Join(errs...)
}
