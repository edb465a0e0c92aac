package bidi_test

import (
	"context"
	"fmt"
	"time"

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

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	say := make(chan string, 1)
	say <- "hello"
	for msg, err := range bidi.Talk(ctx, chatv1.NewChatServiceClient(conn), "go", "ann", say) {
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

// Ann may be 4 KiB of texts behind, and each text counts as 1 KiB at least.
// So the fifth text is too much.
func ExampleHub() {
	hub := bidi.NewHub(4)
	defer time.AfterFunc(10*time.Second, hub.Drain).Stop() // ends the loop in any case
	ann, err := hub.Join("go", "ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 5 {
		_ = ann.Say(fmt.Sprint("text ", i))
	}
	for msg := range ann.Messages() {
		fmt.Println(bidi.Line(msg))
	}
	fmt.Println(ann.Err())
	// Output:
	// * ann joined
	// ann: text 0
	// ann: text 1
	// ann: text 2
	// ann: text 3
	// rpc error: code = ResourceExhausted desc = too slow: more than 4 KiB of texts are waiting for you
}
