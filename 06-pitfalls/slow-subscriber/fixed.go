package slowsubscriber

import (
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// limit is how many numbers fit into the queue of a subscriber.
const limit = 16

// A FixedHub sends numbers to its subscribers. Its methods may be called
// concurrently.
type FixedHub struct {
	mu          sync.Mutex
	subscribers []*member
}

// Subscribe adds a client and serves it until its call ends. The headers
// tell the client that it has been added.
//
// ResourceExhausted: the client is more than limit numbers behind.
func (h *FixedHub) Subscribe(_ *pitfallsv1.CountRequest, stream subscriber) error {
	m := &member{make(chan *pitfallsv1.Number, limit), make(chan struct{})}
	h.mu.Lock()
	err := stream.SendHeader(nil) // before any Send, which would send headers too
	h.subscribers = append(h.subscribers, m)
	h.mu.Unlock()
	defer h.leave(m)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- m.sendAll(stream) }()
	select {
	case err := <-sent:
		return err
	case <-m.dropped: // returning ends a Send that waits
		return status.Errorf(codes.ResourceExhausted, "more than %d numbers behind", limit)
	}
}

func (h *FixedHub) leave(m *member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers = slices.DeleteFunc(h.subscribers, func(s *member) bool { return s == m })
}

// Publish puts n into the queue of each subscriber, and drops a subscriber
// whose queue is full.
func (h *FixedHub) Publish(n *pitfallsv1.Number) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers = slices.DeleteFunc(h.subscribers, func(m *member) bool {
		select {
		case m.queue <- n:
			return false
		default:
			close(m.dropped)
			return true
		}
	})
}
