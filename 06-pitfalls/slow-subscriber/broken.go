// Package slowsubscriber lets every subscriber wait for the slowest one.
//
// Symptom: one client stops reading, a laptop asleep or a debugger at a
// breakpoint, and nobody gets anything any more.
//
// Cause: Send waits for flow control: once the windows of a client are full,
// it returns only when that client reads, or goes away. Here the next
// subscriber comes after it in the loop, and whoever wants to subscribe or
// leave waits for the lock.
//
// Silence: a lock across a loop is correct, and the race detector likes it.
// In a test all clients read, so that no Send ever waits.
//
// Fix: give each subscriber a queue with a limit and a goroutine that sends,
// its handler. Publish never waits: when a queue is full, the subscriber is
// dropped with a status that says why, and can come back.
//
// Threads: grpc-go#2747, grpc-go#3586.
package slowsubscriber

import (
	"slices"
	"sync"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// A BrokenHub passes numbers on to its subscribers.
type BrokenHub struct {
	mu          sync.Mutex
	subscribers []subscriber
}

// Subscribe is a handler. Headers tell the client that it is on the list.
func (h *BrokenHub) Subscribe(_ *pitfallsv1.CountRequest, stream subscriber) error {
	h.mu.Lock()
	h.subscribers = append(h.subscribers, stream)
	h.mu.Unlock()
	defer h.leave(stream)
	if err := stream.SendHeader(nil); err != nil {
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

// Publish passes n on.
func (h *BrokenHub) Publish(n *pitfallsv1.Number) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.subscribers {
		_ = s.Send(n) // an error means that it leaves
	}
}
