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
	subscribers []chan *pitfallsv1.Number
}

// Subscribe adds a client and serves it until its call ends. The headers
// tell the client that it has been added.
//
// ResourceExhausted: the client is more than limit numbers behind.
func (h *FixedHub) Subscribe(_ *pitfallsv1.CountRequest, stream subscriber) error {
	queue := make(chan *pitfallsv1.Number, limit)
	h.mu.Lock()
	h.subscribers = append(h.subscribers, queue)
	h.mu.Unlock()
	defer h.leave(queue)
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for {
		select {
		case n, ok := <-queue:
			if !ok {
				return status.Errorf(codes.ResourceExhausted, "more than %d numbers behind", limit)
			}
			if err := stream.Send(n); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func (h *FixedHub) leave(queue chan *pitfallsv1.Number) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers = slices.DeleteFunc(h.subscribers, func(q chan *pitfallsv1.Number) bool { return q == queue })
}

// Publish sends n to all subscribers.
func (h *FixedHub) Publish(n *pitfallsv1.Number) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers = slices.DeleteFunc(h.subscribers, func(q chan *pitfallsv1.Number) bool {
		select {
		case q <- n:
			return false
		default:
			close(q)
			return true
		}
	})
}
