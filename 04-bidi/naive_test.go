package bidi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// sendThenRead is echoAll with one goroutine.
func sendThenRead(
	ctx context.Context, c chatv1.ChatServiceClient, msgs []*chatv1.ChatMessage, show func(string),
) error {
	stream, err := c.Chat(ctx)
	if err != nil {
		return err
	}
	for _, msg := range msgs { // first send everything
		_ = stream.Send(msg)
	}
	_ = stream.CloseSend()
	for { // then read everything
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		show(msg.GetText())
	}
}

func TestNaive_SendAllThenReadStalls(t *testing.T) {
	var table strings.Builder
	fmt.Fprintln(&table, "messages   sent   echoes read   after 24 hours")
	for _, count := range []int{10, 100, 200, 300, 1000} {
		synctest.Test(t, func(t *testing.T) {
			client := &countingClient{ChatServiceClient: dialFixed(t, echoServer{})}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- sendThenRead(ctx, client, kilobytes(count), func(string) {}) }()
			time.Sleep(24 * time.Hour)

			now := "the client waits in Send"
			if len(ended) > 0 {
				require.NoError(t, <-ended)
				now = "ended with OK"
			}
			fmt.Fprintf(&table, "%8d   %4d   %11d   %s\n", count, client.sent.Load(), client.received.Load(), now)
		})
	}
	golden.File(t, "testdata/stall.txt", table.String())
}

func TestEcho_TwoGoroutinesNeverStall(t *testing.T) {
	const count = 10_000
	synctest.Test(t, func(t *testing.T) {
		client := &countingClient{ChatServiceClient: dialFixed(t, echoServer{})}
		require.NoError(t, echoAll(t.Context(), client, kilobytes(count), func(string) {}))
		require.Equal(t, int64(count), client.received.Load(), "echoes")
	})
}

// A naiveChat echoes texts. Its handler waits only for the reader.
type naiveChat struct {
	chatv1.UnimplementedChatServiceServer

	mu     sync.Mutex
	queues []chan *chatv1.ChatMessage // nothing but the test closes them
}

func (c *naiveChat) keep(queue chan *chatv1.ChatMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queues = append(c.queues, queue)
}

func (c *naiveChat) Chat(
	stream grpc.BidiStreamingServer[chatv1.ChatMessage, chatv1.ChatMessage],
) error {
	queue := make(chan *chatv1.ChatMessage, 1000)
	c.keep(queue) // for the test, which closes it

	go func() { // one goroutine writes
		for msg := range queue {
			_ = stream.Send(msg)
		}
	}()
	for { // the handler reads
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the client half-closed: end with OK
		}
		if err != nil {
			return err
		}
		queue <- msg
	}
}

func TestNaive_HandlerWaitsOnlyForItsReader(t *testing.T) {
	const members, count = 50, 200
	synctest.Test(t, func(t *testing.T) {
		naive := new(naiveChat)
		defer func() { // ends the writers
			for _, queue := range naive.queues {
				close(queue)
			}
		}()
		client := dialFixed(t, naive)
		received := make(map[int]bool)
		for range members {
			ann := open(t, client)
			for range count {
				ann.send(kilobyte)
			}
			synctest.Wait() // until the windows are full
			require.NoError(t, ann.stream.CloseSend())
			synctest.Wait()
			n, err := ann.skip()
			require.ErrorIs(t, err, io.EOF, "the call ended with OK")
			received[n] = true
		}
		require.Len(t, received, 1, "each call had the same result")
		var report strings.Builder
		for n := range received {
			fmt.Fprintf(&report, "sent %d messages, received %d echoes, ended with OK\n", count, n)
		}
		synctest.Wait()
		fmt.Fprintf(&report, "calls that have ended: %d, writers that still wait: %d\n",
			members, goroutinesIn("(*naiveChat).Chat.func1"))
		golden.File(t, "testdata/naive-handler.txt", report.String())
	})
}

// dialFixed is dial with windows of a fixed size on both sides: 64 KiB for a
// stream, which is what a new connection has by default. Windows that grow
// would make it a matter of timing how much fits into the buffers.
func dialFixed(t *testing.T, srv chatv1.ChatServiceServer) chatv1.ChatServiceClient {
	t.Helper()
	server := memservertest.Serve(t, register(srv), ServerOptions()...)
	return chatv1.NewChatServiceClient(server.Dial(t,
		grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(1<<20)))
}

// goroutinesIn counts the goroutines of the bubble whose stacks contain a
// function.
func goroutinesIn(function string) (n int) {
	for _, stack := range memservertest.Goroutines() {
		if strings.Contains(stack, function+"(") {
			n++
		}
	}
	return n
}

// A countingClient counts the messages of its streams.
type countingClient struct {
	chatv1.ChatServiceClient
	sent, received atomic.Int64
}

type countingStream struct {
	grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage]
	c *countingClient
}

func (c *countingClient) Chat(ctx context.Context, opts ...grpc.CallOption) (
	grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage], error,
) {
	stream, err := c.ChatServiceClient.Chat(ctx, opts...)
	return countingStream{stream, c}, err
}

func (s countingStream) Send(msg *chatv1.ChatMessage) error {
	err := s.BidiStreamingClient.Send(msg)
	if err == nil {
		s.c.sent.Add(1)
	}
	return err
}

func (s countingStream) Recv() (*chatv1.ChatMessage, error) {
	msg, err := s.BidiStreamingClient.Recv()
	if err == nil {
		s.c.received.Add(1)
	}
	return msg, err
}
