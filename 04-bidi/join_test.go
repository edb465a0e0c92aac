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

func TestChat_FirstMessageMustBeAValidJoin(t *testing.T) {
	for name, tt := range map[string]struct {
		first *chatv1.ChatMessage // nil: a half-close
		says  string
	}{
		"half-close":             {nil, "join: must be the first message"},
		"text":                   {textMessage("", "hi"), "join: must be the first message"},
		"empty message":          {&chatv1.ChatMessage{}, "join: must be the first message"},
		"no room":                {joinMessage("", "", "ann"), "room: must have 1 to 32 bytes, got 0"},
		"no name":                {joinMessage("", "go", ""), "name: must have 1 to 32 bytes, got 0"},
		"long room":              {joinMessage("", strings.Repeat("x", 33), "ann"), "room: must have 1 to 32 bytes, got 33"},
		"long name":              {joinMessage("", "go", strings.Repeat("é", 17)), "name: must have 1 to 32 bytes, got 34"},
		"space in the name":      {joinMessage("", "go", "ann "), `name: must not contain ' '`},
		"escape in the name":     {joinMessage("", "go", "\x1b[2Jann"), `name: must not contain '\x1b'`},
		"newline in the room":    {joinMessage("", "go\n", "ann"), `room: must not contain '\n'`},
		"invisible character":    {joinMessage("", "go", "an\u200bn"), `name: must not contain '\u200b'`},
		"right-to-left override": {joinMessage("", "go", "\u202enna"), `name: must not contain '\u202e'`},
		"invisible letter":       {joinMessage("", "go", "ann\u3164"), `name: must not contain '\u3164'`},
		"variation selector":     {joinMessage("", "go", "ann\ufe00"), `name: must not contain '\ufe00'`},
		"blank braille pattern":  {joinMessage("", "go\u2800", "ann"), `room: must not contain '\u2800'`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := open(t, newChat(t, 16).client)
				if tt.first == nil {
					require.NoError(t, u.stream.CloseSend())
				} else {
					u.send(tt.first)
				}
				u.ends(codes.InvalidArgument, tt.says)
				if join := tt.first.GetJoin(); join != nil {
					_, err := NewHub(16).Join(join.GetRoom(), join.GetName())
					requireStatus(t, codes.InvalidArgument, tt.says, err)
				}
			})
		})
	}
}

func TestChat_AcceptsNamesUpToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		join(t, c.client, strings.Repeat("r", MaxName), strings.Repeat("é", MaxName/2)).leave()
		join(t, c.client, "日本", "Ω-1_x").leave()
	})
}

func TestChat_JoinMustArriveWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		open(t, newChat(t, 16).client).ends(codes.DeadlineExceeded, "join: must arrive within 10s")
		require.Equal(t, JoinWithin, time.Since(start))
	})
}

func TestChat_NameIsUniqueInItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ann := join(t, c.client, "go", "ann")

		other := open(t, c.client)
		other.send(joinMessage("", "go", "ann"))
		other.ends(codes.AlreadyExists, `name: must be unique in room "go", got "ann"`)
		ann.say("still here")
		ann.sees("ann: still here")

		join(t, c.client, "rust", "ann").leave()
		twin := join(t, c.client, "go", "\u0430nn") // with a Cyrillic a
		ann.sees("* \u0430nn joined")
		twin.leave()
		ann.sees("* \u0430nn left")
		ann.leave()
		join(t, c.client, "go", "ann").leave()
	})
}

func TestJoin_OneInAMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := join(t, c.client, "go", "bob")
		start := time.Now()
		for i := range 100 {
			open(t, c.client).send(joinMessage("", "go", fmt.Sprint("m", i)))
		}
		for i := range 100 {
			msg, err := bob.stream.Recv()
			require.NoError(t, err)
			require.NotNil(t, msg.GetJoin(), "got %v", msg)
			require.Equal(t, time.Duration(1+i)*time.Millisecond, time.Since(start))
		}
	})
}

func TestJoin_ACanceledOneNeedsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		c.hub.turn <- struct{}{} // somebody else has joined, and time stands still
		ann := open(t, c.client)
		ann.send(joinMessage("", "go", "ann"))
		synctest.Wait()
		ann.cancel()
		ann.ends(codes.Canceled, "context canceled")
		synctest.Wait()
		require.Zero(t, goroutinesIn(".(*ChatServer).Chat"), "handlers that still wait")
		require.Zero(t, c.members("go"))
	})
}
