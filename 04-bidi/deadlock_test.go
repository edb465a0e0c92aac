package bidi

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
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

// A handler is a ChatServer that does what a test wants.
type handler func(chatStream) error

type handlerServer struct {
	chatv1.UnimplementedChatServiceServer
	chat handler
}

func (s handlerServer) Chat(stream chatStream) error { return s.chat(stream) }

func serveHandler(t *testing.T, h handler) *grpc.ClientConn {
	return bufnet.Dial(t, func(s grpc.ServiceRegistrar) {
		chatv1.RegisterChatServiceServer(s, handlerServer{chat: h})
	})
}

var kilobyte = textMessage(fmt.Sprintf("%01021d", 0)) // 1 KiB with its tag and length

// flood sends until it fails, and counts.
func flood(send func(*chatv1.ChatMessage) error, sent *atomic.Int64) error {
	for {
		if err := send(kilobyte); err != nil {
			return err
		}
		sent.Add(1)
	}
}

func TestTwoSidesThatBothSendAndNeverReadBlockForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var client, server atomic.Int64
		clientEnd, serverEnd := make(chan error, 1), make(chan error, 1)
		u := open(t, serveHandler(t, func(stream chatStream) error {
			serverEnd <- flood(stream.Send, &server)
			return stream.Context().Err()
		}))
		go func() { clientEnd <- flood(u.stream.Send, &client) }()

		time.Sleep(24 * time.Hour)
		require.Empty(t, clientEnd, "the client is still in Send")
		require.Empty(t, serverEnd, "the handler is still in Send")
		for side, sent := range map[string]int64{"client": client.Load(), "server": server.Load()} {
			require.GreaterOrEqual(t, sent, int64(128), side)
			require.Less(t, sent, int64(1000), side)
			t.Logf("the %s is stuck after %d sends of 1 KiB", side, sent)
		}
		u.cancel()
		require.Equal(t, io.EOF, <-clientEnd)
		require.Equal(t, codes.Canceled, status.Code(<-serverEnd))
	})
}

// This server does read, but it answers before it reads on.
func TestAnEchoIsEnoughForTheDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		end := make(chan error, 1)
		u := open(t, serveHandler(t, echo))
		go func() { end <- flood(u.stream.Send, &sent) }()

		time.Sleep(24 * time.Hour)
		require.Empty(t, end, "the client is still in Send")
		t.Logf("stuck after %d sends of 1 KiB", sent.Load())
		u.cancel()
		require.Equal(t, io.EOF, <-end)
	})
}

func TestReadingWhileYouWriteAvoidsTheDeadlock(t *testing.T) {
	const texts = 1000
	synctest.Test(t, func(t *testing.T) {
		client := chatv1.NewChatServiceClient(serveHandler(t, echo))
		say := make(chan string)
		go func() {
			defer close(say)
			for range texts {
				say <- kilobyte.GetText()
			}
		}()
		echoed := 0
		err := Talk(t.Context(), client, "go", "ann", say, func(msg *chatv1.ChatMessage) error {
			if msg.GetText() != "" {
				echoed++
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, texts, echoed)
	})
}

// The server's handler returns. The client's Send does not: what would end
// it is the status, and that comes after the messages it never reads.
func TestAClientThatOnlySendsBlocksNobodyButItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := make(chan error, 1)
		chat := &ChatServer{Hub: NewHub(16)}
		ann := open(t, serveHandler(t, func(stream chatStream) error {
			err := chat.Chat(stream)
			returned <- err
			return err
		}))
		ann.join("go", "ann")
		flooded := make(chan error, 1)
		go func() { flooded <- flood(ann.stream.Send, new(atomic.Int64)) }()

		require.Equal(t, codes.ResourceExhausted, status.Code(<-returned))
		time.Sleep(24 * time.Hour)
		require.Empty(t, flooded, "the client is still in Send")

		ann.endsAfter(codes.ResourceExhausted, "too slow: 16 messages were waiting for you")
		require.ErrorIs(t, <-flooded, io.EOF, "the status comes from Recv")
	})
}

// echo answers each message before it reads the next one.
func echo(stream chatStream) error {
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(msg); err != nil {
			return err
		}
	}
}
