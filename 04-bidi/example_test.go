package bidi_test

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/memserver"
)

// Ann says hello, waits for Bob's answer, and leaves.
func ExampleTalk() {
	hub := bidi.NewHub(64)
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		chatv1.RegisterChatServiceServer(s, &bidi.ChatServer{Hub: hub})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	bob, err := hub.Join("go", "bob") // Bob is on the server and needs no stream
	if err != nil {
		fmt.Println(err)
		return
	}
	go answer(bob)

	say := make(chan string, 1)
	say <- "hello"
	for msg, err := range bidi.Talk(context.Background(), chatv1.NewChatServiceClient(conn), "go", "ann", say) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(bidi.Line(msg))
		if msg.GetSender() == "bob" {
			close(say) // Talk half-closes
		}
	}
	fmt.Println("the call ended with OK")
	// Output:
	// * ann joined
	// ann: hello
	// bob: hello, ann
	// the call ended with OK
}

// answer answers Ann until she leaves.
func answer(bob *bidi.Member) {
	for msg := range bob.Messages() {
		switch {
		case msg.GetSender() == "ann" && msg.GetText() != "":
			_ = bob.Say("hello, ann")
		case msg.GetLeave() != nil:
			bob.Leave(chatv1.Leave_REASON_GOODBYE)
		}
	}
}

// Ann may be two messages behind. The third message is too much.
func ExampleHub() {
	hub := bidi.NewHub(2)
	ann, err := hub.Join("go", "ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = ann.Say("one")
	_ = ann.Say("two")
	for msg := range ann.Messages() {
		fmt.Println(bidi.Line(msg))
	}
	fmt.Println(ann.Err())
	// Output:
	// * ann joined
	// ann: one
	// rpc error: code = ResourceExhausted desc = too slow: 2 messages were waiting for you, which is the limit
}
