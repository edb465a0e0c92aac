package bidi_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// An echoServer sends back what it receives.
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

func printEchoes(ctx context.Context, c chatv1.ChatServiceClient, texts []*chatv1.ChatMessage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Chat(ctx)
	if err != nil {
		return err
	}
	go func() { // one goroutine writes
		for _, msg := range texts {
			_ = stream.Send(msg) // if it fails, Recv says why
		}
		_ = stream.CloseSend() // the half-close; its error is always nil
	}()
	for { // another one reads
		msg, err := stream.Recv()
		if err != nil {
			return err // io.EOF if the server ended the stream with OK
		}
		fmt.Println(msg.GetText())
	}
}

// The smallest bidi stream: three messages, their echoes and OK.
func Example_echo() {
	client, stop := connect(echoServer{})
	defer stop()
	err := printEchoes(context.Background(), client, []*chatv1.ChatMessage{
		text("one"), text("two"), text("three"),
	})
	fmt.Println("end:", err)
	// Output:
	// one
	// two
	// three
	// end: EOF
}

func text(s string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Text{Text: s}}
}

// connect serves s in memory.
func connect(s chatv1.ChatServiceServer) (client chatv1.ChatServiceClient, stop func()) {
	server := embedded.Serve(func(r grpc.ServiceRegistrar) {
		chatv1.RegisterChatServiceServer(r, s)
	})
	conn, err := server.NewClient()
	if err != nil {
		panic(err)
	}
	return chatv1.NewChatServiceClient(conn), func() {
		if err := errors.Join(conn.Close(), server.Close()); err != nil {
			fmt.Println(err)
		}
	}
}
