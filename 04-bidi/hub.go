package bidi

import (
	"iter"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// A Hub holds the rooms of a chat. A Hub does not know any streams. Create a
// Hub with [NewHub]. Methods may be called concurrently.
type Hub struct {
	queue int           // KiB of texts that may wait for a member
	turn  chan struct{} // lets one client join per millisecond; see ChatServer.join

	// One lock gives all members of a room the same order. No goroutine
	// waits while it holds the lock: publish fills queues and calls no Send.
	mu       sync.Mutex
	rooms    map[string]map[string]*Member // by room, then by name
	draining bool
}

// A Member is somebody in a room. Methods may be called concurrently.
type Member struct {
	hub        *Hub
	room, name string

	// Two places for each KiB of Hub.queue: one for a text, which counts as
	// 1 KiB or more, and one for a notice that somebody joined or left.
	queue   chan *chatv1.ChatMessage // filled and closed under the lock
	waiting atomic.Int64             // KiB of texts in queue; falls as the writer takes them
	missed  atomic.Uint32            // notices left out while queue was half full
	dropped chan struct{}            // closed if too much was waiting
	err     error                    // set before queue is closed
}

// NewHub returns an empty hub, whose members may each be queue KiB of texts
// behind. Each text counts as whole KiB. A queue of less than 4, which is one
// text of any size, counts as 4.
func NewHub(queue int) *Hub {
	return &Hub{
		queue: max(kib(MaxText), queue),
		turn:  make(chan struct{}, 1),
		rooms: map[string]map[string]*Member{},
	}
}

// Join adds a member to a room and tells the members of the room that are not
// far behind, the new one included. The caller reads [Member.Messages], and
// calls [Member.Leave] at the end.
//
// InvalidArgument: the room or the name is not valid. AlreadyExists: another
// member of the room has the name. Unavailable: [Hub.Drain] was called.
func (h *Hub) Join(room, name string) (*Member, error) {
	if err := checkJoin(room, name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return nil, errShutdown
	}
	if h.rooms[room][name] != nil {
		return nil, status.Errorf(codes.AlreadyExists,
			"name: must be unique in room %q, got %q", room, name)
	}
	m := &Member{
		hub: h, room: room, name: name,
		queue:   make(chan *chatv1.ChatMessage, 2*h.queue),
		dropped: make(chan struct{}),
	}
	if h.rooms[room] == nil {
		h.rooms[room] = map[string]*Member{}
	}
	h.rooms[room][name] = m
	h.notify(room, joinMessage(name, room, name))
	return m, nil
}

// Say publishes text to all members of the room, the speaker included. If
// the member is no longer in the room, Say publishes nothing, and returns
// nil for a valid text.
//
// InvalidArgument: the text is not valid.
func (m *Member) Say(text string) error {
	if err := checkText(text); err != nil {
		return err
	}
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.holds(m) {
		m.hub.publish(m.hub.rooms[m.room], textMessage(m.name, text))
	}
	return nil
}

// Leave takes the member out of its room and tells the other members why,
// except those that are far behind.
// Only the first call has an effect, and no call has an effect after the hub
// has removed the member. What was published before stays in
// [Member.Messages].
func (m *Member) Leave(why chatv1.Leave_Reason) {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.holds(m) {
		m.hub.remove(m, nil)
		m.hub.notify(m.room, leaveMessage(m.name, why))
	}
}

// Messages returns an iterator over what happens in the room. A member that
// is far behind misses notices, but no texts unless it is removed. When it
// has caught up, it gets a [chatv1.Missed]. The iterator ends after the last message, and
// [Member.Err] then returns the reason.
func (m *Member) Messages() iter.Seq[*chatv1.ChatMessage] {
	return func(yield func(*chatv1.ChatMessage) bool) {
		for msg := range m.queue {
			m.waiting.Add(-int64(kib(len(msg.GetText()))))
			if !yield(msg) {
				return
			}
			if len(m.queue) > 0 {
				continue
			}
			if n := m.missed.Swap(0); n > 0 && !yield(missedMessage(n)) {
				return
			}
		}
	}
}

// Dropped returns a channel that the hub closes if the member read too
// slowly and was removed from the room.
func (m *Member) Dropped() <-chan struct{} { return m.dropped }

// Err returns why the member is no longer in the room: nil after
// [Member.Leave]. Call Err only after Messages has ended or Dropped was
// closed.
//
// ResourceExhausted: the member read too slowly. Unavailable: [Hub.Drain]
// was called.
func (m *Member) Err() error { return m.err }

// Drain publishes in all rooms, as a notice, that the server is shutting
// down, and removes all members. From then on, nobody can join. Drain does
// not wait for the members. Only the first call has an effect.
func (h *Hub) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
	for room, members := range h.rooms {
		h.notify(room, leaveMessage("", chatv1.Leave_REASON_SHUTDOWN))
		for _, m := range members {
			h.remove(m, errShutdown)
		}
	}
}

// publish puts a text into the queues of members. It does not wait for a
// member whose queue is full, but removes that member.
func (h *Hub) publish(to map[string]*Member, text *chatv1.ChatMessage) {
	size := int64(kib(len(text.GetText()))) // in KiB, rounded up
	var slow []*Member
	for _, m := range to {
		if m.waiting.Load()+size > int64(h.queue) {
			slow = append(slow, m)
			h.remove(m, status.Errorf(codes.ResourceExhausted,
				"too slow: more than %d KiB of texts are waiting for you", h.queue))
			close(m.dropped)
			continue
		}
		m.waiting.Add(size)
		m.queue <- text // does not wait: notices fill at most half of the places
	}
	for _, m := range slow {
		h.notify(m.room, leaveMessage(m.name, chatv1.Leave_REASON_TOO_SLOW))
	}
}

// notify puts a notice, a join or a leave, into the queues of all members of
// a room. A member whose queue is half full misses the notice. Notices come
// in crowds, such as when a connection with 100 members is lost. If a full
// queue of notices removed its member, the removal would cause more notices,
// and one lost connection could empty the room.
func (h *Hub) notify(room string, notice *chatv1.ChatMessage) {
	for _, m := range h.rooms[room] {
		if len(m.queue) < h.queue {
			m.queue <- notice
		} else {
			m.missed.Add(1)
		}
	}
}

// remove takes m out of its room and closes its queue. Nothing is sent to a
// closed queue, because publish sends only to members of a room.
func (h *Hub) remove(m *Member, err error) {
	delete(h.rooms[m.room], m.name)
	if len(h.rooms[m.room]) == 0 {
		delete(h.rooms, m.room)
	}
	m.err = err
	close(m.queue)
}

func (h *Hub) holds(m *Member) bool { return h.rooms[m.room][m.name] == m }

// kib returns how many whole KiB hold this many bytes.
func kib(bytes int) int { return (bytes + 1023) / 1024 }
