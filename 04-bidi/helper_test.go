package bidi

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/bufnet"
)

// A chat is a server to talk through, and a connection to it.
type chat struct {
	hub    *Hub
	server bufnet.Server
	conn   *grpc.ClientConn
}

// newChat serves a chat whose members may be queue messages behind. When
// the test ends, the server has stopped and no room may be left.
func newChat(t *testing.T, queue int) *chat {
	t.Helper()
	c := &chat{hub: NewHub(queue)}
	t.Cleanup(func() { require.Empty(t, c.hub.rooms, "rooms after the server has stopped") })
	c.server = bufnet.Serve(t, func(s grpc.ServiceRegistrar) {
		chatv1.RegisterChatServiceServer(s, &ChatServer{Hub: c.hub})
	})
	// Windows of a fixed size: else they grow with the round trips that take
	// no time here, and a member that does not read can be sent megabytes.
	c.conn = c.server.Dial(t, grpc.WithInitialWindowSize(64<<10), grpc.WithInitialConnWindowSize(64<<10))
	return c
}

func (c *chat) client() chatv1.ChatServiceClient { return chatv1.NewChatServiceClient(c.conn) }

// talk joins the room go with Talk and yields what Talk returns.
func (c *chat) talk(
	ctx context.Context, name string, say <-chan string, show func(*chatv1.ChatMessage) error,
) <-chan error {
	end := make(chan error, 1)
	go func() { end <- Talk(ctx, c.client(), "go", name, say, show) }()
	return end
}

// A user is a client's stream, and its end of the test's assertions.
type user struct {
	t      *testing.T
	stream grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage]
	cancel context.CancelFunc
	conn   net.Conn // of users that dialed
}

// open starts a stream on conn.
func open(t *testing.T, conn grpc.ClientConnInterface) *user {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := chatv1.NewChatServiceClient(conn).Chat(ctx)
	require.NoError(t, err)
	return &user{t: t, stream: stream, cancel: cancel}
}

// join returns when the user has seen its own arrival.
func (c *chat) join(t *testing.T, room, name string) *user {
	t.Helper()
	u := open(t, c.conn)
	u.join(room, name)
	return u
}

// dial is join, over a connection of its own that can be broken.
func (c *chat) dial(t *testing.T, room, name string) *user {
	t.Helper()
	dialed := make(chan net.Conn, 1)
	conn := c.server.Dial(t, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := c.server.DialContext(ctx, addr)
		dialed <- conn
		return conn, err
	}))
	u := open(t, conn)
	u.join(room, name)
	u.conn = <-dialed
	return u
}

func (u *user) join(room, name string) {
	u.t.Helper()
	u.send(joinMessage(room, name))
	u.sees("* " + name + " joined")
}

func (u *user) say(text string) {
	u.t.Helper()
	u.send(textMessage(text))
}

func (u *user) send(msg *chatv1.ChatMessage) {
	u.t.Helper()
	require.NoError(u.t, u.stream.Send(msg))
}

// sees waits for the next messages and compares them.
func (u *user) sees(lines ...string) {
	u.t.Helper()
	for _, want := range lines {
		msg, err := u.stream.Recv()
		require.NoError(u.t, err, "want %q", want)
		require.Equal(u.t, want, Line(msg))
	}
}

// leave half-closes and sees the stream end with OK.
func (u *user) leave() {
	u.t.Helper()
	require.NoError(u.t, u.stream.CloseSend())
	u.ends(codes.OK, "")
}

// ends waits for the status of the stream, without a message before it.
func (u *user) ends(code codes.Code, says string) {
	u.t.Helper()
	msg, err := u.stream.Recv()
	require.Error(u.t, err, "want the end, got %v", msg)
	u.hasStatus(code, says, err)
}

// ends is ends, after any number of messages, whose count it returns.
func (u *user) endsAfter(code codes.Code, says string) (messages int) {
	u.t.Helper()
	for {
		if _, err := u.stream.Recv(); err != nil {
			u.hasStatus(code, says, err)
			return messages
		}
		messages++
	}
}

func (u *user) hasStatus(code codes.Code, says string, err error) {
	u.t.Helper()
	if code == codes.OK {
		require.EqualError(u.t, err, "EOF")
		return
	}
	require.Equal(u.t, code, status.Code(err), "got %v", err)
	require.ErrorContains(u.t, err, says)
}

func joinMessage(room, name string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Join{Join: &chatv1.Join{Room: room, Name: name}}}
}

func textMessage(text string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Text{Text: text}}
}

// A transcript keeps what a Talk shows.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

func (s *transcript) show(msg *chatv1.ChatMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, Line(msg))
	return nil
}

func (s *transcript) read() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}
