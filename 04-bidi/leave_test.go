package bidi

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/serve"
	"example.com/streams/internal/serve/servetest"
)

func TestChat_OthersAreToldHowAMemberLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		leave  func(bob *user, net *faultnet.Network)
		notice string
		code   codes.Code // of Bob's stream
		says   string
	}{
		"half-close": {
			func(bob *user, _ *faultnet.Network) { require.NoError(bob.t, bob.stream.CloseSend()) },
			"* bob left", codes.OK, "",
		},
		"cancel": {
			func(bob *user, _ *faultnet.Network) { bob.cancel() },
			"* bob was disconnected", codes.Canceled, "context canceled",
		},
		"closed connection": {
			func(_ *user, net *faultnet.Network) { net.Conn().Drop() },
			"* bob was disconnected", codes.Unavailable, "error reading from server",
		},
		"refused text": {
			func(bob *user, _ *faultnet.Network) { bob.say("") },
			"* bob was disconnected", codes.InvalidArgument, "text: must have",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				net := faultnet.New(c.server.DialContext)
				ann := join(t, c.client, "go", "ann")
				conn := c.server.Dial(t, grpc.WithContextDialer(net.DialContext))
				bob := join(t, chatv1.NewChatServiceClient(conn), "go", "bob")
				ann.sees("* bob joined")

				left := time.Now()
				tt.leave(bob, net)
				ann.sees(tt.notice)
				require.Zero(t, time.Since(left), "the others are told at once")
				bob.ends(tt.code, tt.says)

				again := join(t, c.client, "go", "bob") // the name is free
				ann.sees("* bob joined")
				again.leave()
				ann.sees("* bob left")
			})
		})
	}
}

func TestHalfClose_DeliversWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 1024)
		ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
		ann.sees("* bob joined")
		said := sayMoreThanTheWindow(ann)
		bob.say("bye")
		require.NoError(t, bob.stream.CloseSend())
		ann.sees("bob: bye", "* bob left")
		ann.say("too late for bob")

		bob.sees(said...)
		bob.sees("bob: bye")
		bob.ends(codes.OK, "")
	})
}

// sayMoreThanTheWindow lets Ann say and see 100 texts of 4 KiB. Flow control
// keeps some of them in the queue of a member that does not read.
func sayMoreThanTheWindow(ann *user) (lines []string) {
	for i := range 100 {
		text := fmt.Sprintf("%0*d", MaxText, i)
		ann.say(text)
		ann.sees("ann: " + text)
		lines = append(lines, "ann: "+text)
	}
	return lines
}

func TestHalfClose_RestMustBeReadWithinTenSeconds(t *testing.T) {
	for name, tt := range map[string]struct {
		reads time.Duration // after the half-close
		code  codes.Code
		says  string
	}{
		"just in time": {9999 * time.Millisecond, codes.OK, ""},
		"too late":     {10001 * time.Millisecond, codes.ResourceExhausted, "must be read within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 1024)
				ann, bob := join(t, c.client, "go", "ann"), join(t, c.client, "go", "bob")
				ann.sees("* bob joined")
				said := sayMoreThanTheWindow(ann)
				require.NoError(t, bob.stream.CloseSend())
				start := time.Now()
				ann.sees("* bob left")
				require.Zero(t, time.Since(start), "the others are told at once")

				time.Sleep(tt.reads)
				received, err := bob.skip()
				if tt.code == codes.OK {
					require.ErrorIs(t, err, io.EOF)
					require.Equal(t, len(said), received)
					return
				}
				requireStatus(t, tt.code, tt.says, err)
				require.Less(t, received, len(said))
			})
		})
	}
}

func TestDrain_DeliversWhatWasSaidThenUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub(1024)
		s := serve.New()
		s.Drain, s.OnDrain = 5*time.Second, hub.Drain
		register(&ChatServer{Hub: hub})(s)
		server := servetest.Start(t, s)
		client := chatv1.NewChatServiceClient(server.Dial(t))

		ann, bob := join(t, client, "go", "ann"), join(t, client, "go", "bob")
		ann.sees("* bob joined")
		said := sayMoreThanTheWindow(ann)
		start := time.Now()
		server.Signal()
		ann.sees("* the server is shutting down")
		ann.ends(codes.Unavailable, "shutting down; join again later")
		bob.sees(said...)
		bob.sees("* the server is shutting down")
		bob.ends(codes.Unavailable, "shutting down; join again later")
		require.NoError(t, server.Wait())
		require.Zero(t, time.Since(start), "the drain waited for a member")
		require.Empty(t, hub.rooms)
	})
}

func TestDrain_RestMustBeReadBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub(1024)
		s := serve.New(ServerOptions()...)
		s.Drain, s.OnDrain = 5*time.Second, hub.Drain
		register(&ChatServer{Hub: hub})(s)
		server := servetest.Start(t, s)
		client := chatv1.NewChatServiceClient(server.Dial(t,
			grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(1<<20)))

		ann, bob := join(t, client, "go", "ann"), join(t, client, "go", "bob")
		ann.sees("* bob joined")
		said := sayMoreThanTheWindow(ann)
		server.Signal()
		time.Sleep(6 * time.Second) // Bob reads too late
		received, err := bob.skip()
		requireStatus(t, codes.Unavailable, "error reading from server", err)
		require.Less(t, received, len(said))
		require.NoError(t, server.Wait())
	})
}

func TestDrain_SecondCallHasNoEffect(t *testing.T) {
	hub := NewHub(16)
	ann := joinAll(t, hub, "ann")[0]
	hub.Drain()
	hub.Drain()
	var lines []string
	for msg := range ann.Messages() {
		lines = append(lines, Line(msg))
	}
	require.Equal(t, []string{"* ann joined", "* the server is shutting down"}, lines)
	requireStatus(t, codes.Unavailable, "shutting down", ann.Err())
}

func TestDrain_RefusesNewMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		c.hub.Drain()
		u := open(t, c.client)
		u.send(joinMessage("", "go", "ann"))
		u.ends(codes.Unavailable, "shutting down; join again later")
	})
}
