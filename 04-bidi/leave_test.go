package bidi

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/serve"
)

func TestTheOthersAreToldHowAMemberLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		leave  func(*user)
		notice string
		code   codes.Code // of the stream, as the member itself sees it
		says   string
	}{
		"half-close": {
			func(u *user) { require.NoError(u.t, u.stream.CloseSend()) },
			"* bob left", codes.OK, "",
		},
		"cancel": {
			func(u *user) { u.cancel() },
			"* bob was disconnected", codes.Canceled, "context canceled",
		},
		"a broken connection": {
			func(u *user) { require.NoError(u.t, u.conn.Close()) },
			"* bob was disconnected", codes.Unavailable, "error reading from server",
		},
		"a refused text": {
			func(u *user) { u.say("") },
			"* bob was disconnected", codes.InvalidArgument, "text: must have",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				ann, bob := c.join(t, "go", "ann"), c.dial(t, "go", "bob")
				ann.sees("* bob joined")

				tt.leave(bob)
				ann.sees(tt.notice)
				bob.ends(tt.code, tt.says)

				again := c.join(t, "go", "bob") // the name is free
				ann.sees("* bob joined")
				again.leave()
				ann.sees("* bob left")
			})
		})
	}
}

func TestHalfCloseIsAnOrderlyGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 1024)
		ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		ann.sees("* bob joined")
		said := ann.saysMoreThanFlowControlTakes()
		bob.say("bye")
		require.NoError(t, bob.stream.CloseSend())
		ann.sees("bob: bye", "* bob left")
		ann.say("too late for bob")

		bob.sees(said...)
		bob.sees("bob: bye")
		bob.ends(codes.OK, "")
	})
}

// saysMoreThanFlowControlTakes says and sees 100 texts of 4 KiB. Some
// of them stay in the queue of a member that does not read.
func (u *user) saysMoreThanFlowControlTakes() (lines []string) {
	for i := range 100 {
		text := fmt.Sprintf("%0*d", MaxText, i)
		u.say(text)
		u.sees("ann: " + text)
		lines = append(lines, "ann: "+text)
	}
	return lines
}

func TestAGoodbyeThatIsNotReadEndsAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 1024)
		ann, bob := c.join(t, "go", "ann"), c.join(t, "go", "bob")
		ann.sees("* bob joined")
		said := ann.saysMoreThanFlowControlTakes()
		require.NoError(t, bob.stream.CloseSend())
		start := time.Now()
		ann.sees("* bob left")
		require.Zero(t, time.Since(start), "the others are told at once")

		time.Sleep(GoodbyeWithin + time.Second)
		got := bob.endsAfter(codes.ResourceExhausted, "had to be read within 10s")
		require.Less(t, got, len(said))
	})
}

func TestAShutdownDeliversWhatWasSaidThenUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub(1024)
		s := serve.New()
		s.Drain, s.OnDrain = 5*time.Second, hub.Close
		chatv1.RegisterChatServiceServer(s, &ChatServer{Hub: hub})
		listener := bufconn.Listen(64 << 10)
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.ServeUntil(ctx, listener) }()
		conn, err := grpc.NewClient("passthrough:///chat", dialOption(listener),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()

		ann, bob := open(t, conn), open(t, conn)
		ann.join("go", "ann")
		bob.join("go", "bob")
		ann.sees("* bob joined")
		said := ann.saysMoreThanFlowControlTakes()
		start := time.Now()
		stop()
		ann.sees("* the server is shutting down")
		ann.ends(codes.Unavailable, "the server is shutting down; join again later")
		bob.sees(said...)
		bob.sees("* the server is shutting down")
		bob.ends(codes.Unavailable, "the server is shutting down; join again later")
		require.NoError(t, <-served)
		require.Zero(t, time.Since(start), "nothing had to be waited for")
		require.Empty(t, hub.rooms)
	})
}

func dialOption(l *bufconn.Listener) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return l.DialContext(ctx)
	})
}
