package bidi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver"
)

// An echoServer sends each message back before it receives the next one.
type echoServer struct {
	chatv1.UnimplementedChatServiceServer
}

func (echoServer) Chat(
	stream grpc.BidiStreamingServer[chatv1.ChatMessage, chatv1.ChatMessage],
) error {
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the client half-closed: end with OK
		}
		if err != nil {
			return err
		}
		if err := stream.Send(msg); err != nil {
			return err
		}
	}
}

// echoAll sends msgs and calls show for each echo as it arrives.
func echoAll(
	ctx context.Context, c chatv1.ChatServiceClient, msgs []*chatv1.ChatMessage, show func(string),
) error {
	stream, err := c.Chat(ctx)
	if err != nil {
		return err
	}
	go func() { // one goroutine writes
		for _, msg := range msgs {
			_ = stream.Send(msg) // if it fails, Recv returns the status
		}
		_ = stream.CloseSend() // half-closes; the error is always nil
	}()
	for { // the other goroutine reads
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the server ended the RPC with OK
		}
		if err != nil {
			return err // any other status
		}
		show(msg.GetText())
	}
}

// The smallest bidi stream sends three messages and receives their echoes.
func Example_echo() {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		chatv1.RegisterChatServiceServer(s, echoServer{})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = echoAll(ctx, chatv1.NewChatServiceClient(conn), []*chatv1.ChatMessage{
		textMessage("", "one"), textMessage("", "two"), textMessage("", "three"),
	}, func(text string) { fmt.Println(text) })
	fmt.Println("end:", err)
	// Output:
	// one
	// two
	// three
	// end: <nil>
}
