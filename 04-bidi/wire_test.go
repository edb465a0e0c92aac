package bidi

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

// Ann joins, says something and half-closes; Bob, who is on the server,
// speaks when he likes.
func TestOnTheWireBothDirectionsShareAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames bytes.Buffer
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		c := newChat(t, 16)
		conn := c.server.Dial(t, grpc.WithContextDialer(tap.Dialer(c.server.DialContext)))
		bob, err := c.hub.Join("go", "bob")
		require.NoError(t, err)
		defer bob.Leave(chatv1.Leave_REASON_GOODBYE)

		ann := open(t, conn)
		ann.join("go", "ann")
		time.Sleep(time.Second)
		ann.say("hello")
		ann.sees("ann: hello")
		time.Sleep(time.Second)
		require.NoError(t, bob.Say("how are you?"))
		ann.sees("bob: how are you?")
		time.Sleep(time.Second)
		require.NoError(t, bob.Say("still there?"))
		ann.sees("bob: still there?")
		time.Sleep(time.Second)
		ann.leave()
		synctest.Wait()

		const golden = "testdata/conversation.txt"
		if *update {
			require.NoError(t, os.WriteFile(golden, frames.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), frames.String())
	})
}
