package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	bidi "example.com/streams/04-bidi"
	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// partnerName is the name of the member that answers each message.
const partnerName = "gopher"

var answers = []string{
	"Hello. Your lines go up this stream, and mine come down.", // to the join
	"Neither of us waits for the other: write when you like.",
	"Ctrl-D says goodbye, and you still get what was said.",
}

// register adds the service of the in-process server: a chat with the partner
// in the client's room.
func register(ctx context.Context, s grpc.ServiceRegistrar) error {
	hub := bidi.NewHub(256)
	p, err := hub.Join(*room, partnerName)
	if err != nil {
		return err
	}
	go func() {
		for range p.Messages() { // a member that does not read is removed
		}
	}()
	context.AfterFunc(ctx, hub.Drain)
	chatv1.RegisterChatServiceServer(s, &partnerServer{bidi.ChatServer{Hub: hub}, p})
	return nil
}

// A partnerServer is a ChatServer whose streams the partner answers.
type partnerServer struct {
	bidi.ChatServer
	partner *bidi.Member
}

type serverStream = grpc.BidiStreamingServer[chatv1.ChatMessage, chatv1.ChatMessage]

func (s *partnerServer) Chat(stream serverStream) error {
	return s.ChatServer.Chat(&answeredStream{stream, s.partner, 0})
}

type answeredStream struct {
	serverStream
	partner  *bidi.Member
	received int
}

// Recv answers the message that was received before, and then receives the
// next one. The handler has published a message when it calls Recv again, so
// the answer comes after the message, and before a half-close.
func (s *answeredStream) Recv() (*chatv1.ChatMessage, error) {
	if s.received > 0 {
		if err := s.partner.Say(s.answer()); err != nil {
			return nil, err
		}
	}
	s.received++
	return s.serverStream.Recv()
}

func (s *answeredStream) answer() string {
	if s.received <= len(answers) {
		return answers[s.received-1]
	}
	return fmt.Sprintf("That was line %d.", s.received-1)
}
