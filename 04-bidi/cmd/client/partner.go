package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Without a server to dial there is a partner in the room, who answers
// every text, and a first line to answer.
const (
	partner = "gopher"
	opening = "hello\n"
)

var script = []string{
	"Hello. Your lines go up this stream and mine come down.",
	"Neither of us waits for the other: write when you like.",
	"Ctrl-D says goodbye, and you still get what was said.",
}

var (
	embedded bool
	owed     sync.WaitGroup // the partner's answers
)

// embed serves a room with a partner, who leaves when ctx is done. If the
// room's name is refused, so is the user.
func embed(ctx context.Context, s grpc.ServiceRegistrar) {
	embedded = true
	hub := bidi.NewHub(256)
	context.AfterFunc(ctx, hub.Close)
	chatv1.RegisterChatServiceServer(s, &bidi.ChatServer{Hub: hub})
	if p, err := hub.Join(*room, partner); err == nil {
		go answer(p)
	}
}

func answer(p *bidi.Member) {
	n := 0
	for msg := range p.Messages() {
		if msg.GetText() == "" || msg.GetSender() == partner {
			continue
		}
		text := fmt.Sprintf("That was line %d.", n+1)
		if n < len(script) {
			text = script[n]
		}
		n++
		_ = p.Say(text) // the text is within the limits
	}
}

func input() io.Reader {
	if embedded {
		return io.MultiReader(strings.NewReader(opening), os.Stdin)
	}
	return os.Stdin
}

// asked counts a text before it is said, answered the partner's answer.
func asked() {
	if embedded {
		owed.Add(1)
	}
}

func answered(msg *chatv1.ChatMessage) {
	if embedded && msg.GetSender() == partner && msg.GetText() != "" {
		owed.Done()
	}
}
