package bidi_test

import (
	"context"
	"fmt"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Ann says hello, waits for Bob's answer, and leaves.
func ExampleTalk() {
	hub := bidi.NewHub(64)
	client, stop := connect(&bidi.ChatServer{Hub: hub})
	defer stop()
	bob, err := hub.Join("go", "bob") // he is on the server and needs no stream
	if err != nil {
		fmt.Println(err)
		return
	}
	go answer(bob)

	say := make(chan string, 1)
	say <- "hello"
	err = bidi.Talk(context.Background(), client, "go", "ann", say,
		func(msg *chatv1.ChatMessage) error {
			fmt.Println(bidi.Line(msg))
			if msg.GetSender() == "bob" {
				close(say) // lets Talk half-close
			}
			return nil
		})
	fmt.Println("end:", err)
	// Output:
	// * ann joined
	// ann: hello
	// bob: hello, ann
	// end: <nil>
}

// answer answers ann until she leaves.
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

// Ann is allowed to be two messages behind. The third one is too much.
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
	// rpc error: code = ResourceExhausted desc = too slow: 2 messages were waiting for you, the limit
}
