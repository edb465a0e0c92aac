package bidi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/bufnet"
)

// texts yields some texts and then ends.
func texts(all ...string) <-chan string {
	say := make(chan string, len(all))
	defer close(say)
	for _, text := range all {
		say <- text
	}
	return say
}

func TestTalkWaitsForItsOwnEchoBeforeItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := c.join(t, "go", "bob")
		var ann transcript
		require.NoError(t, <-c.talk(t.Context(), "ann", texts("hi", "bye"), ann.show))
		require.Equal(t, []string{"* ann joined", "ann: hi", "ann: bye"}, ann.read())
		bob.sees("* ann joined", "ann: hi", "ann: bye", "* ann left")
	})
}

func TestTalkListensWhileItHasNothingToSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := c.join(t, "go", "bob")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var ann transcript
		end := c.talk(ctx, "ann", nil, ann.show)
		bob.sees("* ann joined")
		bob.say("anybody there?")
		start := time.Now()
		require.Equal(t, codes.DeadlineExceeded, status.Code(<-end))
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, []string{"* ann joined", "bob: anybody there?"}, ann.read())
		bob.sees("bob: anybody there?", "* ann was disconnected")
	})
}

func TestTalkReturnsWhyTheServerRefused(t *testing.T) {
	for name, say := range map[string]<-chan string{
		"nothing to say": nil,
		"much to say":    texts(strings.Split(strings.Repeat("word ", 1000), " ")...),
		"no more to say": texts(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				_ = c.join(t, "go", "ann")
				err := <-c.talk(t.Context(), "ann", say, new(transcript).show)
				require.Equal(t, codes.AlreadyExists, status.Code(err), "got %v", err)
			})
		})
	}
}

// Send hears of the end first, because show is slow. But Send says only EOF.
func TestTalkReturnsTheStatusAlsoIfSendFailsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := chatv1.NewChatServiceClient(serveHandler(t, func(stream chatStream) error {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			if err := stream.Send(textMessage("closing time")); err != nil {
				return err
			}
			return status.Error(codes.FailedPrecondition, "the bar is closed")
		}))
		say := make(chan string)
		err := Talk(t.Context(), client, "go", "ann", say, func(*chatv1.ChatMessage) error {
			time.Sleep(time.Second)
			say <- "one more" // gets EOF from Send
			time.Sleep(time.Second)
			return nil
		})
		require.Equal(t, codes.FailedPrecondition, status.Code(err), "got %v", err)
	})
}

func TestTalkEndsWhenItsCallerCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		ctx, cancel := context.WithCancel(t.Context())
		end := c.talk(ctx, "ann", nil, new(transcript).show)
		time.AfterFunc(time.Hour, cancel)
		require.Equal(t, codes.Canceled, status.Code(<-end))
	})
}

func TestTalkCancelsTheStreamWhenShowFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		bob := c.join(t, "go", "bob")
		broken := errors.New("the screen is broken")
		err := <-c.talk(t.Context(), "ann", nil, func(*chatv1.ChatMessage) error { return broken })
		require.Equal(t, broken, err)
		bob.sees("* ann joined", "* ann was disconnected")
	})
}

// This one never leaves the client.
func TestTalkReturnsTheErrorOfItsOwnSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, 16)
		err := <-c.talk(t.Context(), "ann", texts("\xff"), new(transcript).show)
		require.Equal(t, codes.Internal, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "invalid UTF-8")
	})
}

func TestTalkEndsWithAServerThatEndsTheStreamWithOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serveHandler(t, func(stream chatStream) error {
			_, err := stream.Recv()
			return err
		})
		require.NoError(t, Talk(t.Context(), chatv1.NewChatServiceClient(conn), "go", "ann", nil, new(transcript).show))
	})
}

func TestTalkSaysThatThereIsNoChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := chatv1.NewChatServiceClient(bufnet.Dial(t, func(grpc.ServiceRegistrar) {}))
		err := Talk(t.Context(), client, "go", "ann", nil, new(transcript).show)
		require.Equal(t, codes.Unimplemented, status.Code(err), "got %v", err)
	})
}

func TestALineIsSafeToPrint(t *testing.T) {
	for want, msg := range map[string]*chatv1.ChatMessage{
		"ann: \uFFFD[2Jhi\tthere": {Sender: "ann", Event: textMessage("\x1b[2Jhi\tthere").Event},
		"a\uFFFDb: hi":            {Sender: "a\nb", Event: textMessage("hi").Event},
		"* a\uFFFDb joined":       {Sender: "a\rb", Event: joinMessage("go", "c").Event},
		"* ann left":              leaveMessage("ann", chatv1.Leave_REASON_UNSPECIFIED),
		"* bob was too slow":      leaveMessage("bob", chatv1.Leave_REASON_TOO_SLOW),
		"* ann did something that this version does not know": {Sender: "ann"},
	} {
		require.Equal(t, want, Line(msg))
	}
	require.Equal(t, "\uFFFDabc\uFFFD", Clean("\xffabc\u009b"))
}

func leaveMessage(name string, why chatv1.Leave_Reason) *chatv1.ChatMessage {
	return left(&Member{name: name}, why)
}
