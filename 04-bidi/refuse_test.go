package bidi

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

func TestTheFirstMessageHasToBeAGoodJoin(t *testing.T) {
	for name, tt := range map[string]struct {
		first *chatv1.ChatMessage
		says  string
	}{
		"a text":                 {textMessage("hi"), "join: must be the first message"},
		"an empty message":       {&chatv1.ChatMessage{}, "join: must be the first message"},
		"no room":                {joinMessage("", "ann"), "room: must have 1 to 32 bytes, has 0"},
		"no name":                {joinMessage("go", ""), "name: must have 1 to 32 bytes, has 0"},
		"a long room":            {joinMessage(strings.Repeat("x", 33), "ann"), "room: must have 1 to 32 bytes, has 33"},
		"a long name":            {joinMessage("go", strings.Repeat("é", 17)), "name: must have 1 to 32 bytes, has 34"},
		"a space in the name":    {joinMessage("go", "ann "), `name: must not contain ' '`},
		"an escape in the name":  {joinMessage("go", "\x1b[2Jann"), `name: must not contain '\x1b'`},
		"a newline in the room":  {joinMessage("go\n", "ann"), `room: must not contain '\n'`},
		"an invisible character": {joinMessage("go", "an\u200bn"), `name: must not contain '\u200b'`},
		"text turned around":     {joinMessage("go", "\u202enna"), `name: must not contain '\u202e'`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := open(t, newChat(t, 16).conn)
				u.send(tt.first)
				u.ends(codes.InvalidArgument, tt.says)
			})
		})
	}
}

func TestNamesHaveTheirLimitIncluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		c.join(t, strings.Repeat("r", MaxName), strings.Repeat("é", MaxName/2)).leave()
		c.join(t, "日本", "Ω-1_x").leave()
	})
}

func TestAGoodbyeBeforeTheJoinIsInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, newChat(t, 16).conn)
		require.NoError(t, u.stream.CloseSend())
		u.ends(codes.InvalidArgument, "join: must be the first message")
	})
}

func TestTheJoinMustComeWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		u := open(t, newChat(t, 16).conn)
		u.ends(codes.DeadlineExceeded, "join: must come within 10s")
		require.Equal(t, JoinWithin, time.Since(start))
	})
}

func TestARefusedTextEndsOnlyItsOwnStream(t *testing.T) {
	for name, tt := range map[string]struct {
		msg  *chatv1.ChatMessage
		says string
	}{
		"an empty text":   {textMessage(""), "text: must have 1 to 4096 bytes, has 0"},
		"a long text":     {textMessage(strings.Repeat("x", 4097)), "text: must have 1 to 4096 bytes, has 4097"},
		"a newline":       {textMessage("hi\nbob: I owe ann a cake"), `text: must not contain '\n'`},
		"an escape":       {textMessage("\x1b]0;title\a"), `text: must not contain '\x1b'`},
		"a second join":   {joinMessage("go", "eve"), "only the first message is a join"},
		"no event":        {&chatv1.ChatMessage{}, "text: missing"},
		"another's leave": {&chatv1.ChatMessage{Sender: "ann", Event: &chatv1.ChatMessage_Leave{}}, "text: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
				bob.send(tt.msg)
				bob.ends(codes.InvalidArgument, tt.says)
				ann.sees("* bob joined", "* bob was disconnected")
				ann.say("I am here")
				ann.sees("ann: I am here")
			})
		})
	}
}

func TestATextHasItsLimitIncluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := newChat(t, 16).join(t, "go", "ann")
		for _, text := range []string{strings.Repeat("x", MaxText), "a\ttab", "👩\u200d💻", " "} {
			ann.say(text)
			ann.sees("ann: " + text)
		}
	})
}

func TestAClosedHubLetsNobodyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		c.hub.Close()
		u := open(t, c.conn)
		u.send(joinMessage("go", "ann"))
		u.ends(codes.Unavailable, "the server is shutting down")
	})
}
