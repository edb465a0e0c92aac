package bidi

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// kilobyte is a message whose encoding has 1 KiB.
var kilobyte = textMessage("", fmt.Sprintf("%01021d", 0))

// kilobytes returns kilobyte many times.
func kilobytes(count int) []*chatv1.ChatMessage {
	return slices.Repeat([]*chatv1.ChatMessage{kilobyte}, count)
}

// flood calls send until it fails, and counts the calls that succeed.
func flood(send func(*chatv1.ChatMessage) error, sent *atomic.Int64) error {
	for {
		if err := send(kilobyte); err != nil {
			return err
		}
		sent.Add(1)
	}
}

func TestDeadlock_BothSidesSendAndNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var client, server atomic.Int64
		clientEnd, serverEnd := make(chan error, 1), make(chan error, 1)
		u := open(t, dial(t, stub{OnChat: func(stream serverStream) error {
			serverEnd <- flood(stream.Send, &server)
			return stream.Context().Err()
		}}))
		go func() { clientEnd <- flood(u.stream.Send, &client) }()

		time.Sleep(24 * time.Hour)
		require.Empty(t, clientEnd, "the client is still in Send")
		require.Empty(t, serverEnd, "the handler is still in Send")
		for side, sent := range map[string]int64{"client": client.Load(), "server": server.Load()} {
			require.GreaterOrEqual(t, sent, int64(128), side)
			require.LessOrEqual(t, sent, int64(192), side)
		}
		u.cancel()
		require.Equal(t, io.EOF, <-clientEnd)
		requireStatus(t, codes.Canceled, "", <-serverEnd)
	})
}

// The echo server does read, but it sends each answer before it reads on.
func TestDeadlock_EchoServerIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		end := make(chan error, 1)
		u := open(t, dial(t, echoServer{}))
		go func() { end <- flood(u.stream.Send, &sent) }()

		time.Sleep(24 * time.Hour)
		require.Empty(t, end, "the client is still in Send")
		require.GreaterOrEqual(t, sent.Load(), int64(256))
		require.Less(t, sent.Load(), int64(1000))
		u.cancel()
		require.Equal(t, io.EOF, <-end)
	})
}

func TestDeadlock_LargerBuffersOnlyDelayIt(t *testing.T) {
	for _, kib := range []int32{64, 1 << 10} { // windows of each side
		synctest.Test(t, func(t *testing.T) {
			server := memservertest.Serve(t, register(echoServer{}),
				grpc.StaticStreamWindowSize(kib<<10), grpc.StaticConnWindowSize(kib<<10))
			u := open(t, chatv1.NewChatServiceClient(server.Dial(t,
				grpc.WithStaticStreamWindowSize(kib<<10), grpc.WithStaticConnWindowSize(kib<<10))))
			var sent atomic.Int64
			end := make(chan error, 1)
			go func() { end <- flood(u.stream.Send, &sent) }()

			time.Sleep(24 * time.Hour)
			require.Empty(t, end, "the client is still in Send")
			require.GreaterOrEqual(t, sent.Load(), int64(2*kib), "two windows")
			require.LessOrEqual(t, sent.Load(), int64(2*(64+kib)), "two queues and two windows")
			u.cancel()
			require.Equal(t, io.EOF, <-end)
		})
	}
}

func TestDeadlock_ReadingWhileWritingAvoidsIt(t *testing.T) {
	const count = 1000
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, echoServer{})
		say := make(chan string)
		go func() {
			defer close(say)
			for range count {
				say <- kilobyte.GetText()
			}
		}()
		got := read(Talk(t.Context(), client, "go", "ann", say))
		require.NoError(t, got.err)
		require.Len(t, got.lines, 1+count, "the echoes of the join and of all texts")
	})
}

// The handler returns, but the client's Send does not. The status would end
// that Send, but it comes after messages that the client has not read.
func TestDeadlock_ClientThatOnlySendsIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := make(chan error, 1)
		chat := &ChatServer{Hub: NewHub(16)}
		ann := join(t, dial(t, stub{OnChat: func(stream serverStream) error {
			err := chat.Chat(stream)
			returned <- err
			return err
		}}), "go", "ann")
		flooded := make(chan error, 1)
		go func() { flooded <- flood(ann.stream.Send, new(atomic.Int64)) }()

		requireStatus(t, codes.ResourceExhausted, "", <-returned)
		time.Sleep(24 * time.Hour)
		require.Empty(t, flooded, "the client is still in Send")

		_, err := ann.skip()
		requireStatus(t, codes.ResourceExhausted, "too slow: more than 16 KiB of texts are waiting for you", err)
		require.ErrorIs(t, <-flooded, io.EOF, "the status comes from Recv")
	})
}
