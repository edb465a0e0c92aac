package bidi

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

func TestChat_MessageArrivesBeforeTheNextIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
		ann.sees("* bob joined")

		ann.say("one")
		bob.sees("ann: one")
		bob.say("two")
		ann.sees("ann: one", "bob: two")
		ann.say("three")
		bob.sees("bob: two", "ann: three")
	})
}

func TestChat_DirectionsAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
		for i := range 10 { // Ann never reads, Bob never writes
			ann.say(fmt.Sprint(i))
			bob.sees(fmt.Sprintf("ann: %d", i))
		}
	})
}

func TestChat_AllMembersSeeOneOrder(t *testing.T) {
	const members, texts = 8, 25
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 1024)
		var done [members]<-chan transcript
		start := make(chan struct{})
		for i := range members {
			say := make(chan string)
			done[i] = c.talk(t.Context(), fmt.Sprint("m", i), say)
			time.Sleep(JoinPace) // until it has joined
			go func() {
				defer close(say)
				<-start
				for n := range texts {
					say <- fmt.Sprint(n)
				}
				time.Sleep(time.Minute) // until all have spoken
			}()
		}
		close(start)

		var first []string
		for i := range members {
			member := <-done[i]
			require.NoError(t, member.err)
			got := spoken(member.lines)
			if i == 0 {
				first = got
			}
			require.Equal(t, first, got, "m%d and m0 saw different orders", i)

			next := 0 // of the member's own texts
			for _, line := range got {
				if strings.HasPrefix(line, fmt.Sprintf("m%d: ", i)) {
					require.Equal(t, fmt.Sprintf("m%d: %d", i, next), line)
					next++
				}
			}
			require.Equal(t, texts, next, "m%d's own texts", i)
		}
		require.Len(t, first, members*texts)
	})
}

// spoken returns the lines without those about who joined and left.
func spoken(lines []string) (texts []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "* ") {
			texts = append(texts, line)
		}
	}
	return texts
}

func TestChat_RoomsDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		goAnn, goBob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
		goAnn.sees("* bob joined")
		rustAnn, rustCat := join(t, c.client, "rust", "ann"), join(t, c.client, "rust", "cat")
		rustAnn.sees("* cat joined")

		goAnn.say("gophers")
		rustAnn.say("crabs")
		synctest.Wait()
		goBob.sees("ann: gophers")
		goBob.leave()
		rustCat.sees("ann: crabs")
		rustCat.leave()
		goAnn.sees("ann: gophers", "* bob left")
		rustAnn.sees("ann: crabs", "* cat left")
	})
}

func TestChat_RoomEndsWithItsLastMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		for i := range 100 {
			join(t, c.client, fmt.Sprint("room", i), "ann").leave()
		}
		require.Empty(t, c.hub.rooms)
	})
}

func TestChat_SenderCannotBeForged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
		ann.sees("* bob joined")

		bob.send(textMessage("ann", "I owe bob a cake"))
		ann.sees("bob: I owe bob a cake")
		bob.sees("bob: I owe bob a cake")

		bob.send(joinMessage("", "go", "eve"))
		bob.ends(codes.InvalidArgument, "text: must be set in every message after the join")
		ann.sees("* bob was disconnected")
	})
}

func TestChat_FloodIsSlowedDown(t *testing.T) {
	const count = 1000
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		listen, say := make(chan string), make(chan string)
		bob := c.talk(t.Context(), "bob", listen)
		time.Sleep(JoinPace) // until he has joined
		ann := c.talk(t.Context(), "ann", say)
		start := time.Now()
		go func() {
			defer close(say)
			for range count {
				select {
				case say <- "yes":
				case <-t.Context().Done(): // the test has failed
					return
				}
			}
		}()
		got := <-ann
		require.NoError(t, got.err, "Ann's stream")
		require.Len(t, spoken(got.lines), count)
		require.Equal(t, 9990*time.Millisecond, time.Since(start))
		close(listen) // Bob half-closes
		got = <-bob
		require.NoError(t, got.err, "Bob's stream")
		require.Len(t, spoken(got.lines), count)
	})
}

// Ann reads all the time, and sends as fast as Send lets her.
func TestChat_FloodMakesSendWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := join(t, dialFixed(t, &ChatServer{Hub: NewHub(256)}), "go", "ann")
		var sent, received atomic.Int64
		go func() {
			for {
				if _, err := ann.stream.Recv(); err != nil {
					return
				}
				received.Add(1)
			}
		}()
		flooded := make(chan error, 1)
		go func() { flooded <- flood(ann.stream.Send, &sent) }()
		time.Sleep(10*time.Second + Pace/2)
		require.EqualValues(t, 1001, received.Load(), "a text each Pace, and the first at once")
		require.LessOrEqual(t, sent.Load(), int64(1001+128+1), "64 KiB queued, 64 KiB in the window")
		require.Empty(t, flooded, "the client is still in Send")
		ann.cancel()
		require.ErrorIs(t, <-flooded, io.EOF)
	})
}

func TestChat_RefusedTextEndsOnlyItsOwnStream(t *testing.T) {
	for name, tt := range map[string]struct {
		msg  *chatv1.ChatMessage
		says string
	}{
		"empty text":  {textMessage("", ""), "text: must have 1 to 4096 bytes, got 0"},
		"long text":   {textMessage("", strings.Repeat("x", 4097)), "text: must have 1 to 4096 bytes, got 4097"},
		"newline":     {textMessage("", "hi\nbob: I owe ann a cake"), `text: must not contain '\n'`},
		"escape":      {textMessage("", "\x1b]0;title\a"), `text: must not contain '\x1b'`},
		"override":    {textMessage("", "a\u202eb"), `text: must not contain '\u202e'`},
		"isolate":     {textMessage("", "a\u2066b"), `text: must not contain '\u2066'`},
		"arabic mark": {textMessage("", "a\u061cb"), `text: must not contain '\u061c'`},
		"line break":  {textMessage("", "a\u2028b"), `text: must not contain '\u2028'`},
		"zero width":  {textMessage("", "a\u200bb"), `text: must not contain '\u200b'`},
		"joiner":      {textMessage("", "👩\u200d💻"), `text: must not contain '\u200d'`},
		"no UTF-8":    {textMessage("", "a\ufffdb"), `text: must not contain '\ufffd'`},
		"tag":         {textMessage("", "a\U000e0041b"), `text: must not contain '\U000e0041'`},
		"wide space":  {textMessage("", "a\u3000b"), `text: must not contain '\u3000'`},
		"second join": {joinMessage("", "go", "eve"), "text: must be set in every message after the join"},
		"no event":    {&chatv1.ChatMessage{}, "text: must be set in every message after the join"},
		"leave":       {leaveMessage("ann", 0), "text: must be set in every message after the join"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
				bob.send(tt.msg)
				bob.ends(codes.InvalidArgument, tt.says)
				ann.sees("* bob joined", "* bob was disconnected")
				ann.say("I am here")
				ann.sees("ann: I am here")
			})
		})
	}
}

func TestChat_AcceptsTextsUpToTheLimit(t *testing.T) {
	longest := strings.Repeat("x", MaxText)
	synctest.Test(t, func(t *testing.T) {
		ann := join(t, newChat(t, 16).client, "go", "ann")
		for text, want := range map[string]string{
			longest: "ann: " + longest, " ": "ann:  ", "a\ttab": `ann: a\ttab`, "日本 é नमस्ते 💻": "ann: 日本 é नमस्ते 💻",
		} {
			ann.say(text)
			ann.sees(want)
		}
	})
}
