package bidi

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// A Hub holds the rooms of a chat. It knows nothing about streams. Make
// one with [NewHub].
type Hub struct {
	queue int

	// One lock gives all members of a room one order. It is never held
	// while anything waits: to publish is to fill queues, not to Send.
	mu     sync.Mutex
	rooms  map[string]map[string]*Member // by room, then by name
	closed bool
}

// A Member is somebody in a room.
type Member struct {
	hub        *Hub
	room, name string

	queue   chan *chatv1.ChatMessage // closed when nothing follows
	dropped chan struct{}            // closed when the queue was full
	err     error                    // set before queue is closed
}

// NewHub returns an empty hub whose members may be queue messages behind
// the room, at least 1.
func NewHub(queue int) *Hub {
	return &Hub{queue: max(1, queue), rooms: map[string]map[string]*Member{}}
}

// Join adds a member to a room and tells all its members, the new one
// included. End with [Member.Leave].
//
// InvalidArgument: the room or the name is. AlreadyExists: the name is in
// use in the room. Unavailable: the hub is closed.
func (h *Hub) Join(room, name string) (*Member, error) {
	if err := checkJoin(room, name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errShutdown
	}
	if h.rooms[room][name] != nil {
		return nil, status.Errorf(codes.AlreadyExists,
			"name: %q is in use in room %q", name, room)
	}
	m := &Member{
		hub: h, room: room, name: name,
		queue:   make(chan *chatv1.ChatMessage, h.queue),
		dropped: make(chan struct{}),
	}
	if h.rooms[room] == nil {
		h.rooms[room] = map[string]*Member{}
	}
	h.rooms[room][name] = m
	h.publish(room, joined(m))
	return m, nil
}

// Say tells text to all members of the room, the speaker included. A
// member that is no longer in the room says nothing.
//
// InvalidArgument: the text is.
func (m *Member) Say(text string) error {
	if err := checkText(text); err != nil {
		return err
	}
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.holds(m) {
		m.hub.publish(m.room, said(m, text))
	}
	return nil
}

// Leave takes the member out of the room and tells the others why. What
// was said before stays in [Member.Messages]. The first Leave counts.
func (m *Member) Leave(why chatv1.Leave_Reason) {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.holds(m) {
		m.hub.remove(m, nil)
		m.hub.publish(m.room, left(m, why))
	}
}

// Messages yields what happens in the room. It is closed after the last
// message, and [Member.Err] then says why.
func (m *Member) Messages() <-chan *chatv1.ChatMessage { return m.queue }

// Dropped is closed when the member was too slow and is out of the room.
func (m *Member) Dropped() <-chan struct{} { return m.dropped }

// Err returns why the member is out of the room, once Messages or Dropped
// is closed: nil after Leave, ResourceExhausted if it was too slow,
// Unavailable if the hub was closed.
func (m *Member) Err() error { return m.err }

// Close takes all members out of their rooms, after a last message that
// says so, and lets no one in again. It does not wait for anything.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for room, members := range h.rooms {
		h.publish(room, shutdown())
		for _, m := range members {
			h.remove(m, errShutdown)
		}
	}
}

// publish gives msg to all members of a room. One whose queue is full is
// dropped: nobody waits for it.
func (h *Hub) publish(room string, msg *chatv1.ChatMessage) {
	var slow []*Member
	for _, m := range h.rooms[room] {
		select {
		case m.queue <- msg:
		default:
			slow = append(slow, m)
			h.remove(m, status.Errorf(codes.ResourceExhausted,
				"too slow: %d messages were waiting for you, the limit", cap(m.queue)))
			close(m.dropped)
		}
	}
	for _, m := range slow {
		h.publish(room, left(m, chatv1.Leave_REASON_TOO_SLOW))
	}
}

// remove takes m out of its room and closes its queue. It is safe to
// close, since only publish sends to it, and only to those in a room.
func (h *Hub) remove(m *Member, err error) {
	delete(h.rooms[m.room], m.name)
	if len(h.rooms[m.room]) == 0 {
		delete(h.rooms, m.room)
	}
	m.err = err
	close(m.queue)
}

func (h *Hub) holds(m *Member) bool { return h.rooms[m.room][m.name] == m }
