package bidi

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

func TestAMessageArrivesBeforeTheNextIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		ann.sees("* bob joined")

		ann.say("one")
		bob.sees("ann: one")
		bob.say("two")
		ann.sees("ann: one", "bob: two")
		ann.say("three")
		bob.sees("bob: two", "ann: three")
	})
}

func TestYouCanBeSilentAndListenOrTalkAndNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		for i := range 10 {
			ann.say(fmt.Sprint(i)) // and never reads
			bob.sees(fmt.Sprintf("ann: %d", i))
		}
	})
}

func TestAllMembersSeeTheRoomInOneOrder(t *testing.T) {
	const members, texts = 8, 25
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 1024)
		var all [members]transcript
		var ends [members]<-chan error
		start := make(chan struct{})
		for i := range members {
			say := make(chan string)
			ends[i] = c.talk(t.Context(), fmt.Sprint("m", i), say, all[i].show)
			synctest.Wait() // it has joined
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
		for _, end := range ends {
			require.NoError(t, <-end)
		}

		want := spoken(&all[0])
		require.Len(t, want, members*texts)
		for i := range members {
			require.Equal(t, want, spoken(&all[i]), "m%d and m0 saw another order", i)
			own := 0
			for _, line := range want {
				if rest, ok := strings.CutPrefix(line, fmt.Sprintf("m%d: ", i)); ok {
					require.Equal(t, fmt.Sprint(own), rest, "m%d's own order", i)
					own++
				}
			}
		}
	})
}

// spoken leaves out who came and went.
func spoken(s *transcript) (texts []string) {
	for _, line := range s.read() {
		if !strings.HasPrefix(line, "* ") {
			texts = append(texts, line)
		}
	}
	return texts
}

func TestTwoRoomsDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		goAnn, goBob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		goAnn.sees("* bob joined")
		rustAnn, rustCat := c.join(t, "rust", "ann"), c.join(t, "rust", "cat")
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

func TestARoomEndsWithItsLastMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		for i := range 100 {
			c.join(t, fmt.Sprint("room", i), "ann").leave()
		}
		require.Empty(t, c.hub.rooms)
	})
}

func TestTheSenderCannotBeForged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		ann.sees("* bob joined")

		bob.send(&chatv1.ChatMessage{Sender: "ann", Event: textMessage("I owe bob a cake").Event})
		ann.sees("bob: I owe bob a cake")
		bob.sees("bob: I owe bob a cake")

		bob.send(&chatv1.ChatMessage{Event: joinMessage("go", "eve").Event})
		bob.ends(codes.InvalidArgument, "only the first message is a join")
		ann.sees("* bob was disconnected")
	})
}

func TestANameIsUniqueInItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann := c.join(t, "go", "ann")

		other := open(t, c.conn)
		other.send(joinMessage("go", "ann"))
		other.ends(codes.AlreadyExists, `name: "ann" is in use in room "go"`)
		ann.say("still here")
		ann.sees("ann: still here")

		elsewhere := c.join(t, "rust", "ann")
		elsewhere.leave()
		ann.leave()
		again := c.join(t, "go", "ann")
		again.leave()
	})
}

func TestAFloodIsSlowedDownAndHarmsNobody(t *testing.T) {
	const texts = 1000
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := c.join(t, "go", "bob")
		var ann transcript
		say := make(chan string)
		end := c.talk(t.Context(), "ann", say, ann.show)
		start := time.Now()
		go func() {
			defer close(say)
			for range texts {
				say <- "yes"
			}
		}()
		bob.sees("* ann joined")
		for range texts {
			bob.sees("ann: yes")
		}
		bob.sees("* ann left")
		require.NoError(t, <-end)
		require.Len(t, spoken(&ann), texts)
		require.Equal(t, (texts-1)*Pace, time.Since(start))
	})
}
