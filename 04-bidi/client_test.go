package bidi

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestTalk_WaitsForItsOwnEchoBeforeItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := join(t, c.client, "go", "bob")
		ann := <-c.talk(t.Context(), "ann", texts("hi", "bye"))
		require.NoError(t, ann.err)
		require.Equal(t, []string{"* ann joined", "ann: hi", "ann: bye"}, ann.lines)
		bob.sees("* ann joined", "ann: hi", "ann: bye", "* ann left")
	})
}

func TestTalk_ListensWithNothingToSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := join(t, c.client, "go", "bob")
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := c.talk(ctx, "ann", nil)
		bob.sees("* ann joined")
		bob.say("anybody there?")
		ann := <-done
		requireStatus(t, codes.DeadlineExceeded, "", ann.err)
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, []string{"* ann joined", "bob: anybody there?"}, ann.lines)
		bob.sees("bob: anybody there?", "* ann was disconnected")
	})
}

func TestTalk_EndsWithWhyTheServerRefused(t *testing.T) {
	for name, say := range map[string]<-chan string{
		"nothing to say": nil,
		"much to say":    texts(strings.Fields(strings.Repeat("word ", 1000))...),
		"no more to say": texts(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				_ = join(t, c.client, "go", "ann")
				other := <-c.talk(t.Context(), "ann", say)
				requireStatus(t, codes.AlreadyExists, "", other.err)
			})
		})
	}
}

// Send reports the end first, because the loop is slow. But Send returns
// only io.EOF.
func TestTalk_EndsWithTheStatusIfSendFailsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnChat: func(stream serverStream) error {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			if err := stream.Send(textMessage("", "closing time")); err != nil {
				return err
			}
			return status.Error(codes.FailedPrecondition, "the bar is closed")
		}})
		say := make(chan string)
		var last error
		for _, err := range Talk(t.Context(), client, "go", "ann", say) {
			if err != nil {
				last = err
				break
			}
			time.Sleep(time.Second)
			say <- "one more" // its Send returns io.EOF
			time.Sleep(time.Second)
		}
		requireStatus(t, codes.FailedPrecondition, "", last)
	})
}

func TestTalk_EndsWhenItsCallerCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		ann := <-newChat(t, 16).talk(ctx, "ann", nil)
		requireStatus(t, codes.Canceled, "", ann.err)
	})
}

func TestTalk_SaysThatTheServerHasNoChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := chatv1.NewChatServiceClient(memservertest.Dial(t, func(grpc.ServiceRegistrar) {}))
		err := read(Talk(t.Context(), client, "go", "ann", nil)).err
		requireStatus(t, codes.Unimplemented, "", err)
	})
}

func TestTalk_BreakCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := join(t, c.client, "go", "bob")
		for _, err := range Talk(t.Context(), c.client, "go", "ann", nil) {
			require.NoError(t, err)
			break
		}
		bob.sees("* ann joined", "* ann was disconnected")
	})
}

func TestTalk_EachLoopIsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := join(t, c.client, "go", "bob")
		talk := Talk(t.Context(), c.client, "go", "ann", texts())
		for range 2 {
			require.NoError(t, read(talk).err)
			bob.sees("* ann joined", "* ann left")
		}
	})
}

// A slowClient opens streams whose CloseSend takes an hour.
type slowClient struct{ chatv1.ChatServiceClient }

type slowStream struct {
	grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage]
}

func (c slowClient) Chat(ctx context.Context, opts ...grpc.CallOption) (
	grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage], error,
) {
	stream, err := c.ChatServiceClient.Chat(ctx, opts...)
	return slowStream{stream}, err
}

func (s slowStream) CloseSend() error {
	defer time.Sleep(time.Hour)
	return s.BidiStreamingClient.CloseSend()
}

func TestTalk_LoopEndsAfterTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := slowClient{newChat(t, 16).client}
		start := time.Now()
		require.NoError(t, read(Talk(t.Context(), client, "go", "ann", texts())).err)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

// This error comes from the client itself, which never sends the text.
func TestTalk_EndsWithTheErrorOfItsOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := <-newChat(t, 16).talk(t.Context(), "ann", texts("\xff"))
		requireStatus(t, codes.Internal, "invalid UTF-8", ann.err)
	})
}

func TestTalk_EndsWithOKIfTheServerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnChat: func(stream serverStream) error {
			_, err := stream.Recv()
			return err
		}})
		require.NoError(t, read(Talk(t.Context(), client, "go", "ann", nil)).err)
	})
}
