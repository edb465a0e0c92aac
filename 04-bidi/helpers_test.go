package bidi

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// register returns the function that adds srv to a server.
func register(srv chatv1.ChatServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { chatv1.RegisterChatServiceServer(s, srv) }
}

// dial serves srv in memory and returns a client.
func dial(t *testing.T, srv chatv1.ChatServiceServer) chatv1.ChatServiceClient {
	t.Helper()
	return chatv1.NewChatServiceClient(memservertest.Dial(t, register(srv)))
}

// A stub is a ChatService whose handler is OnChat.
type stub struct {
	chatv1.UnimplementedChatServiceServer
	OnChat func(serverStream) error
}

func (s stub) Chat(stream serverStream) error { return s.OnChat(stream) }

// A chat is a server and a client.
type chat struct {
	hub    *Hub
	server memservertest.Server
	client chatv1.ChatServiceClient
}

// newChat serves a chat whose members may be queue KiB of texts behind. When the
// test ends, the server has stopped and no room may be left.
func newChat(t *testing.T, queue int) *chat {
	t.Helper()
	c := &chat{hub: NewHub(queue)}
	t.Cleanup(func() { require.Empty(t, c.hub.rooms, "rooms after the server has stopped") })
	c.server = memservertest.Serve(t, register(&ChatServer{Hub: c.hub}))
	// The windows have a fixed size. Otherwise they grow, because a round
	// trip takes no time here, and a member that does not read can be sent
	// megabytes.
	c.client = chatv1.NewChatServiceClient(c.server.Dial(t,
		grpc.WithInitialWindowSize(64<<10), grpc.WithInitialConnWindowSize(64<<10)))
	return c
}

// members returns how many are in a room.
func (c *chat) members(room string) int {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	return len(c.hub.rooms[room])
}

// talk loops over Talk in the room go, in a goroutine.
func (c *chat) talk(ctx context.Context, name string, say <-chan string) <-chan transcript {
	done := make(chan transcript, 1)
	go func() { done <- read(Talk(ctx, c.client, "go", name, say)) }()
	return done
}

// A transcript is what a loop over Talk received.
type transcript struct {
	lines []string
	err   error
}

// read loops over messages and returns what it received.
func read(messages iter.Seq2[*chatv1.ChatMessage, error]) (s transcript) {
	for msg, err := range messages {
		if err != nil {
			s.err = err
		} else {
			s.lines = append(s.lines, Line(msg))
		}
	}
	return s
}

// texts returns a closed channel with all texts.
func texts(all ...string) <-chan string {
	say := make(chan string, len(all))
	defer close(say)
	for _, text := range all {
		say <- text
	}
	return say
}

// A user is a call of Chat without Talk. Its methods fail the test if the
// stream does not do what they say.
type user struct {
	t      *testing.T
	stream grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage]
	cancel context.CancelFunc
}

// open starts a stream and sends nothing.
func open(t *testing.T, client chatv1.ChatServiceClient) *user {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := client.Chat(ctx)
	require.NoError(t, err)
	return &user{t: t, stream: stream, cancel: cancel}
}

// join starts a stream, and returns when the user has seen its own join.
func join(t *testing.T, client chatv1.ChatServiceClient, room, name string) *user {
	t.Helper()
	u := open(t, client)
	u.send(joinMessage("", room, name))
	u.sees("* " + name + " joined")
	return u
}

func (u *user) say(text string) {
	u.t.Helper()
	u.send(textMessage("", text))
}

func (u *user) send(msg *chatv1.ChatMessage) {
	u.t.Helper()
	require.NoError(u.t, u.stream.Send(msg))
}

// sees receives the next messages and compares them with lines. If one
// differs, sees prints only the beginnings.
func (u *user) sees(lines ...string) {
	u.t.Helper()
	for _, want := range lines {
		msg, err := u.stream.Recv()
		require.NoError(u.t, err, "want %.40q", want)
		if got := Line(msg); got != want {
			require.FailNow(u.t, "wrong message", "want %.40q, %d bytes\ngot  %.40q, %d bytes",
				want, len(want), got, len(got))
		}
	}
}

// leave half-closes. The stream must end with OK.
func (u *user) leave() {
	u.t.Helper()
	require.NoError(u.t, u.stream.CloseSend())
	u.ends(codes.OK, "")
}

// ends waits for the status of the stream. No message may come before the
// status.
func (u *user) ends(code codes.Code, says string) {
	u.t.Helper()
	msg, err := u.stream.Recv()
	require.Error(u.t, err, "want %v, got %v", code, msg)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	requireStatus(u.t, code, says, err)
}

// requireStatus requires that the status err has this code, and a text that
// contains says.
func requireStatus(t *testing.T, code codes.Code, says string, err error) {
	t.Helper()
	require.Equal(t, code.String(), status.Code(err).String(), "got %v", err)
	require.Contains(t, status.Convert(err).Message(), says)
}

// skip receives messages until the stream ends, and counts them.
func (u *user) skip() (messages int, err error) {
	for {
		if _, err := u.stream.Recv(); err != nil {
			return messages, err
		}
		messages++
	}
}
