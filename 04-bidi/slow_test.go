package bidi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// All 200 share one connection, so it is not the connection that waits.
func TestNobodyWaitsForTheOneOf200MembersThatNeverReads(t *testing.T) {
	const readers, queue = 198, 220
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, queue)
		stalled := c.join(t, "go", "stalled")
		for range 40 { // its own echoes fill what flow control takes
			stalled.say(strings.Repeat("x", MaxText))
		}
		time.Sleep(40 * Pace)
		arrivals := c.audience(t, readers)
		ann := c.join(t, "go", "ann")

		for len(c.hub.rooms["go"]) == readers+2 {
			time.Sleep(Pace)
			said := time.Now()
			ann.say("hello")
			ann.sees("ann: hello")
			synctest.Wait()
			require.Equal(t, readers, arrivals.at(said), "members who got it in the instant in which it was said")
		}
		ann.sees("* stalled was too slow")

		got := stalled.endsAfter(codes.ResourceExhausted, "too slow: 220 messages were waiting for you, the limit")
		t.Logf("stalled then read the %d messages that were on their way", got)
		ann.leave()
	})
}

// An instants counts what happened at each time.
type instants struct {
	mu    sync.Mutex
	count map[time.Time]int
}

func (s *instants) at(t time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[t]
}

func (s *instants) now() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[time.Now()]++
}

// audience lets n members join who read, and tells when texts arrived.
func (c *chat) audience(t *testing.T, n int) *instants {
	t.Helper()
	arrivals := &instants{count: map[time.Time]int{}}
	for i := range n {
		c.talk(t.Context(), fmt.Sprint("m", i), nil, func(msg *chatv1.ChatMessage) error {
			if msg.GetText() != "" {
				arrivals.now()
			}
			return nil
		})
	}
	synctest.Wait() // all have joined, and know of each other
	return arrivals
}
