package travels

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A side is an end of the connection: C for the client, S for the server.
type side string

const (
	client side = "C"
	server side = "S"
)

// An event is a call or a frame.
type event struct {
	at   time.Duration // since the start of the recording
	side side          // that makes the call or sends the frame
	kind kind
	text string
	lost bool // a frame that does not arrive
}

type kind int

const (
	ended    kind = iota // a context ends, and causes what follows in the same instant
	began                // a call begins, and causes what follows in the same instant
	frame                // a frame is on the wire
	returned             // a call that began earlier returns, because of a frame
)

// A recorder collects the events of both sides. Its methods may be called
// concurrently.
type recorder struct {
	start time.Time
	show  []string    // types of frames to draw that belong to no call
	named bool        // calls and frames name their stream
	lost  atomic.Bool // no frame arrives anymore

	mu      sync.Mutex
	stopped bool
	events  []event
}

func (r *recorder) add(s side, k kind, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	lost := k == frame && r.lost.Load()
	r.events = append(r.events, event{time.Since(r.start), s, k, fmt.Sprintf(format, args...), lost})
}

// result records what a call returned that began at the time since.
func (r *recorder) result(s side, since time.Time, format string, args ...any) {
	if time.Now().Equal(since) {
		r.add(s, began, format, args...)
	} else {
		r.add(s, returned, format, args...)
	}
}

// Write records a line of a [wire.Tap].
func (r *recorder) Write(p []byte) (int, error) {
	fields := strings.Fields(string(p)) // time, direction, type, stream, length, details
	kind, from := fields[2], client
	if fields[1] == "S->C" {
		from = server
	}
	if !r.draws(kind, fields[3] == "stream=0") {
		return len(p), nil
	}
	text := label(kind, fields[3:])
	if r.named {
		text = strings.Replace(fields[3], "=", " ", 1) + ": " + text
	}
	r.add(from, frame, "%s", text)
	return len(p), nil
}

// draws reports whether a frame is part of the diagram.
func (r *recorder) draws(kind string, ofConnection bool) bool {
	if kind == "WINDOW_UPDATE" {
		return !ofConnection && slices.Contains(r.show, kind)
	}
	return !ofConnection || slices.Contains(r.show, kind)
}

// turn is the time from one call to the next. Calls of the client begin at
// even multiples, those of the handler at odd ones, so that two calls never
// begin in the same instant.
const turn = time.Millisecond

// wait waits for the next turn of s.
func (r *recorder) wait(s side) {
	next := time.Since(r.start).Truncate(2 * turn)
	if s == server {
		next += turn
	}
	if next <= time.Since(r.start) {
		next += 2 * turn
	}
	time.Sleep(next - time.Since(r.start))
}

// stop returns the events in the order of cause and effect. Frames keep the
// order in which they passed the client. The calls of an instant have no
// order of their own, because goroutines make them: the call that began comes
// before the frames, what the other side received after them, and what its
// own side returned last.
func (r *recorder) stop() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	cause := map[time.Duration]side{}
	for _, e := range r.events {
		if _, ok := cause[e.at]; !ok || e.kind <= began {
			cause[e.at] = e.side
		}
	}
	rank := func(e event) int {
		n := int(e.kind)
		if e.kind == returned && e.side == cause[e.at] {
			n++
		}
		return n
	}
	slices.SortStableFunc(r.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(rank(a), rank(b)))
	})
	return r.events
}

// name returns what a call returned, in a word.
func name(err error) string {
	switch {
	case err == nil:
		return "nil"
	case errors.Is(err, io.EOF):
		return "io.EOF"
	case status.Code(err) == codes.Unknown:
		return status.FromContextError(err).Code().String()
	default:
		return status.Code(err).String()
	}
}
