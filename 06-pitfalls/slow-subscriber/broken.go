// Package slowsubscriber shows subscribers that wait for the slowest one; see README.md.
package slowsubscriber

import (
	"slices"
	"sync"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenHub sends numbers to its subscribers. Its methods may be called
// concurrently.
type BrokenHub struct {
	mu          sync.Mutex
	subscribers []subscriber
}

// Subscribe adds a client and serves it until its call ends. The headers
// tell the client that it has been added.
func (h *BrokenHub) Subscribe(_ *pitfallsv1.CountRequest, stream subscriber) error {
	h.mu.Lock()
	err := stream.SendHeader(nil) // before any Send, which would send headers too
	h.subscribers = append(h.subscribers, stream)
	h.mu.Unlock()
	defer h.leave(stream)
	if err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (h *BrokenHub) leave(stream subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers = slices.DeleteFunc(h.subscribers, func(s subscriber) bool { return s == stream })
}

// Publish sends n to all subscribers.
func (h *BrokenHub) Publish(n *pitfallsv1.Number) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.subscribers {
		_ = s.Send(n) // after an error, the handler calls leave
	}
}
