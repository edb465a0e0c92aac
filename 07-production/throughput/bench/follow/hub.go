package follow

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// An item is a published entry, in the forms that the followers need.
type item struct {
	entry    *logsv1.LogEntry
	encoded  sync.Once
	prepared grpc.PreparedMsg
	text     []byte // of an event, or of a WebSocket's message
	other    any    // of a library that prepares messages
}

// A hub has a channel for each follower. Publishing waits for a follower
// whose channel is full, so that all ways do the same work. Its methods may
// be called concurrently.
type hub struct {
	prepare func(*item) // adds what is encoded once for all followers
	drop    bool        // an item whose follower's channel is full

	mu        sync.Mutex
	last      *item
	followers map[chan *item]bool
	closed    chan struct{}
}

func newHub(prepare func(*item)) *hub {
	return &hub{prepare: prepare, followers: map[chan *item]bool{}, closed: make(chan struct{})}
}

func (h *hub) publish(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = next(h.last, text)
	h.prepare(h.last)
	for f := range h.followers {
		if h.drop {
			select {
			case f <- h.last:
			default:
			}
			continue
		}
		select {
		case f <- h.last:
		case <-h.closed:
			return
		}
	}
}

// close ends a publish that waits.
func (h *hub) close() { close(h.closed) }

// follow returns a channel whose first item is the last one published. Call
// leave when it is no longer read.
func (h *hub) follow() (items <-chan *item, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := make(chan *item, 64)
	f <- h.last
	h.followers[f] = true
	return f, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.followers, f)
	}
}

// next returns the item that follows the last one, which may be nil.
func next(last *item, text string) *item {
	sequence := uint64(1)
	if last != nil {
		sequence = last.entry.GetSequence() + 1
	}
	return &item{entry: &logsv1.LogEntry{
		Sequence: sequence, Timestamp: timestamppb.Now(), Message: text, LogId: "5f3a91c0",
	}}
}
