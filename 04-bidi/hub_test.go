package bidi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// All 200 members share one connection.
func TestHub_NobodyWaitsForASlowMember(t *testing.T) {
	const readers, queue = 198, 220
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, queue)
		slow := join(t, c.client, "go", "slow")
		for range 40 { // the echoes fill the window of a member that does not read
			slow.say(strings.Repeat("x", MaxText))
		}
		time.Sleep(40 * Pace)
		arrived := make(chan time.Time, readers)
		for i := range readers {
			go recordTexts(t.Context(), c, fmt.Sprint("m", i), arrived)
		}
		time.Sleep(time.Second) // until all have joined
		ann := join(t, c.client, "go", "ann")

		for c.members("go") == readers+2 {
			time.Sleep(Pace)
			said := time.Now()
			ann.say("hello")
			ann.sees("ann: hello")
			synctest.Wait()
			require.Len(t, arrived, readers, "members that have received the text")
			for range readers {
				require.Equal(t, said, <-arrived)
			}
		}
		ann.sees("* slow was too slow")

		messages, err := slow.skip()
		require.Positive(t, messages, "the status comes last")
		requireStatus(t, codes.ResourceExhausted, "too slow: more than 220 KiB of texts are waiting for you", err)
		ann.leave()
	})
}

// Say visits the listeners in a random order. Without its lock they could
// hear different orders.
func TestHub_SpeakersAtOnceKeepOneOrder(t *testing.T) {
	const speakers, texts = 4, 500
	hub := NewHub(speakers * texts)
	var listeners []*Member
	for i := range 100 {
		listeners = append(listeners, joinAll(t, hub, fmt.Sprint("m", i))...)
	}
	start := make(chan struct{})
	var talking sync.WaitGroup
	for i := range speakers {
		talking.Go(func() {
			<-start
			for n := range texts {
				_ = listeners[i].Say(fmt.Sprint(i, " ", n)) // is a valid text
			}
		})
	}
	close(start)
	talking.Wait()
	hub.Drain()
	first := heard(listeners[0])
	require.Len(t, first, speakers*texts)
	for i, m := range listeners {
		require.True(t, i == 0 || slices.Equal(first, heard(m)), "m%d and m0 heard different orders", i)
	}
}

func TestHub_WhoHasLeftIsNotHeard(t *testing.T) {
	hub := NewHub(16)
	members := joinAll(t, hub, "ann", "bob")
	ann, bob := members[0], members[1]
	ann.Leave(chatv1.Leave_REASON_GOODBYE)
	require.NoError(t, ann.Say("ghost"))
	again, err := hub.Join("go", "ann") // another member, with the same name
	require.NoError(t, err)
	require.NoError(t, ann.Say("ghost"))
	ann.Leave(chatv1.Leave_REASON_GOODBYE)
	require.NoError(t, again.Say("here"))
	hub.Drain()
	require.NoError(t, bob.Say("ghost"))
	require.Equal(t, []string{"here"}, heard(bob))
}

func TestHub_HoldsOneTextOfAnySize(t *testing.T) {
	for _, queue := range []int{-1, 0, 3} {
		ann := joinAll(t, NewHub(queue), "ann")[0]
		require.NoError(t, ann.Say(strings.Repeat("x", MaxText)))
		require.True(t, ann.hub.holds(ann))
		require.NoError(t, ann.Say("too much"))
		require.False(t, ann.hub.holds(ann))
	}
}

// joinAll adds members to the room go.
func joinAll(t *testing.T, hub *Hub, names ...string) (members []*Member) {
	t.Helper()
	for _, name := range names {
		m, err := hub.Join("go", name)
		require.NoError(t, err)
		members = append(members, m)
	}
	return members
}

// heard returns all texts that a member got before it left.
func heard(m *Member) (texts []string) {
	for msg := range m.Messages() {
		if msg.GetText() != "" {
			texts = append(texts, msg.GetText())
		}
	}
	return texts
}

// recordTexts joins the room go, and records when texts arrive.
func recordTexts(ctx context.Context, c *chat, name string, arrived chan<- time.Time) {
	for msg, err := range Talk(ctx, c.client, "go", name, nil) {
		if err == nil && msg.GetText() != "" {
			arrived <- time.Now()
		}
	}
}
