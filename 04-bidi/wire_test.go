package bidi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

// Ann joins, says something, and half-closes. Bob, who is on the server,
// speaks without being asked.
func TestWire_BothDirectionsShareAStream(t *testing.T) {
	wiretest.Frames(t, "testdata/conversation.txt", func(t *testing.T, tap *wire.Tap) {
		c := newChat(t, 16)
		conn := c.server.Dial(t, grpc.WithContextDialer(tap.Dialer(c.server.DialContext)))
		bob, err := c.hub.Join("go", "bob")
		require.NoError(t, err)
		defer bob.Leave(chatv1.Leave_REASON_GOODBYE)

		ann := join(t, chatv1.NewChatServiceClient(conn), "go", "ann")
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
	})
}
