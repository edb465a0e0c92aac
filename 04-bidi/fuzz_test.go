package bidi

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/printable"
)

// FuzzChat calls the handler with arbitrary messages, followed by a
// half-close or by a cancellation. Bob is in the room. He sees what Ann said
// and that she left, and nothing that his terminal would obey.
func FuzzChat(f *testing.F) {
	for _, sent := range [][]*chatv1.ChatMessage{
		{},
		{textMessage("", "no join")},
		{joinMessage("bob", "go", "ann")},
		{joinMessage("", "go", "bob")},
		{joinMessage("", "go", "\ufffd")},
		{joinMessage("", "go", "ann"), textMessage("bob", "one"), textMessage("", "日本\t💻")},
		{joinMessage("", "go", "ann"), textMessage("", "\u202eone"), textMessage("", "two")},
		{joinMessage("", "go", "ann"), joinMessage("", "go", "ann")},
		{joinMessage("", "go", "ann"), leaveMessage("bob", 2), missedMessage(7)},
	} {
		var text bytes.Buffer
		for _, m := range sent {
			_, err := protodelim.MarshalTo(&text, m)
			require.NoError(f, err)
		}
		f.Add(text.Bytes(), false)
		f.Add(text.Bytes(), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, canceled bool) {
		synctest.Test(t, func(t *testing.T) {
			in := &stream{text: bytes.NewReader(text), canceled: canceled, texts: []string{}}
			hub := NewHub(1 << 16)
			bob, err := hub.Join("go", "bob")
			require.NoError(t, err)

			err = handle(t, &ChatServer{Hub: hub}, in)

			require.Contains(t, chatCodes, status.Code(err), "got %v", err)
			bob.Leave(chatv1.Leave_REASON_GOODBYE)
			require.Empty(t, hub.rooms)
			heard := []string{}
			last := new(chatv1.ChatMessage)
			for msg := range bob.Messages() {
				require.Equal(t, printable.Escape(msg.GetSender()), msg.GetSender())
				if msg.GetText() != "" {
					heard = append(heard, msg.GetText())
				}
				last = msg
			}
			if last.GetSender() != "bob" { // Ann came into his room
				require.NotNil(t, last.GetLeave())
				require.Equal(t, in.texts[:len(heard)], heard)
				require.LessOrEqual(t, len(in.texts), len(heard)+1, "only the last text may be refused")
			}
		})
	})
}

// chatCodes are the codes of a stream whose end the client has caused.
var chatCodes = []codes.Code{codes.OK, codes.InvalidArgument, codes.AlreadyExists, codes.Canceled}

// handle calls Chat as a server does: the context ends with the call.
func handle(t *testing.T, s *ChatServer, in *stream) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in.ctx = ctx
	return s.Chat(in)
}

// A stream is the server's side of a stream whose client sends encoded
// messages and reads what it is sent.
type stream struct {
	serverStream
	ctx      context.Context
	text     *bytes.Reader
	canceled bool
	texts    []string // received after the first message
	received int
}

func (s *stream) Context() context.Context       { return s.ctx }
func (s *stream) Send(*chatv1.ChatMessage) error { return s.ctx.Err() }

func (s *stream) Recv() (*chatv1.ChatMessage, error) {
	msg := new(chatv1.ChatMessage)
	err := protodelim.UnmarshalFrom(s.text, msg)
	switch {
	case err == nil:
		if s.received++; s.received > 1 && msg.GetText() != "" {
			s.texts = append(s.texts, msg.GetText())
		}
		return msg, nil
	case s.canceled:
		return nil, status.Error(codes.Canceled, "context canceled")
	default:
		return nil, io.EOF
	}
}
