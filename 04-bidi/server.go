// Package bidi is a chat: client and server send each other messages over
// one stream, and neither side waits for an answer.
package bidi

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Time limits of a [ChatServer].
const (
	// JoinWithin is the limit for the first message.
	JoinWithin = 10 * time.Second
	// GoodbyeWithin is the limit for a client that half-closed to read what
	// was said before.
	GoodbyeWithin = 10 * time.Second
	// Pace is the least time between two texts of a stream. A queue is for
	// bursts: without a pace, somebody who sends a file line by line could
	// fill the queues of members that read well.
	Pace = 10 * time.Millisecond
	// JoinPace is the least time between two joins of all clients. A crowd
	// that joins at once causes a notice for each of its joins.
	JoinPace = time.Millisecond
)

var errLate = status.Errorf(codes.ResourceExhausted,
	"too slow: after the half-close, the rest must be read within %v", GoodbyeWithin)

// A ChatServer implements ChatService. It connects streams with the members
// of a hub. Set the fields before the first call. Methods may be called
// concurrently.
type ChatServer struct {
	chatv1.UnimplementedChatServiceServer

	// Hub holds the rooms. It must not be nil.
	Hub *Hub
}

// ServerOptions give each stream a window of 64 KiB. By default a window
// can grow to 16 MiB, and a client that sends faster than [Pace] can fill it.
// With these options and a queue of 256 KiB, a stream holds texts of up to
// about 64 KiB before its handler, 256 KiB in its queue, and 64 KiB behind its
// writer.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StaticStreamWindowSize(64 << 10),
		grpc.StaticConnWindowSize(1 << 20),
	}
}

type serverStream = grpc.BidiStreamingServer[chatv1.ChatMessage, chatv1.ChatMessage]

// Chat reads in one goroutine, writes in another, and waits for what ends
// the stream. It calls neither Recv nor Send itself, so it can return at any
// time. When it returns, a Recv or a Send that still waits fails (not
// a Send behind ServeHTTP).
//
// OK: the client half-closed, and what was said before was sent.
// InvalidArgument: the first message is not a valid join, or a later message
// is not a valid text. AlreadyExists: another member of the room has the
// name. DeadlineExceeded: the first message did not arrive within
// [JoinWithin]. ResourceExhausted: the client read too slowly, or a message
// exceeds the limit of gRPC. Unavailable: [Hub.Drain] was called, or the
// connection closed while a Send waited. Canceled, DeadlineExceeded: the
// context of the call ended.
func (s *ChatServer) Chat(
	stream grpc.BidiStreamingServer[chatv1.ChatMessage, chatv1.ChatMessage],
) error {
	m, err := s.join(stream)
	if err != nil {
		return err
	}
	defer m.Leave(chatv1.Leave_REASON_DISCONNECTED) // no effect after a goodbye
	// Room for one error each, so that both goroutines end though only one is heard.
	read, wrote := make(chan error, 1), make(chan error, 1)
	go func() { read <- readTexts(stream, m) }()
	go func() { wrote <- writeMessages(stream, m) }()
	var late <-chan time.Time // nil: nothing arrives yet
	for {
		select {
		case err := <-wrote: // everything was sent, or Send failed
			return err
		case <-m.Dropped(): // too slow: the return ends a Send that waits
			return m.Err()
		case <-late: // too much was left to send
			return errLate // ResourceExhausted
		case err := <-read: // nil after a half-close; not nil when the context ends
			if err != nil {
				return err
			}
			m.Leave(chatv1.Leave_REASON_GOODBYE) // lets the writer finish
			late = time.After(GoodbyeWithin)
		}
	}
}

// join receives the first message and adds the client to a room.
func (s *ChatServer) join(stream serverStream) (*Member, error) {
	msg, err := recvWithin(stream, "join", JoinWithin)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	join := msg.GetJoin()
	if join == nil {
		return nil, status.Error(codes.InvalidArgument, "join: must be the first message")
	}
	if err := checkJoin(join.GetRoom(), join.GetName()); err != nil {
		return nil, err // before it takes a turn of the others
	}
	select {
	case s.Hub.turn <- struct{}{}:
		time.AfterFunc(JoinPace, func() { <-s.Hub.turn })
	case <-stream.Context().Done():
		return nil, stream.Context().Err()
	}
	return s.Hub.Join(join.GetRoom(), join.GetName())
}

// recvWithin is Recv with a time limit, which gRPC does not have for a
// message. After an error the handler must return, which ends a Recv that
// still waits.
func recvWithin(stream serverStream, what string, limit time.Duration) (*chatv1.ChatMessage, error) {
	var msg *chatv1.ChatMessage
	received := make(chan error, 1)
	go func() {
		var err error
		msg, err = stream.Recv()
		received <- err
	}()
	select {
	case err := <-received:
		return msg, err
	case <-time.After(limit):
		return nil, status.Errorf(codes.DeadlineExceeded, "%s: must arrive within %v", what, limit)
	}
}

// readTexts is the only function that calls Recv after the join. It returns
// nil when the client half-closes.
func readTexts(stream serverStream, m *Member) error {
	var next time.Time
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := msg.GetEvent().(*chatv1.ChatMessage_Text); !ok {
			return status.Error(codes.InvalidArgument, "text: must be set in every message after the join")
		}
		// While this waits, flow control slows down the client's Send.
		if err := waitUntil(stream.Context(), next); err != nil {
			return err
		}
		if err := m.Say(msg.GetText()); err != nil {
			return err
		}
		next = time.Now().Add(Pace)
	}
}

func waitUntil(ctx context.Context, t time.Time) error {
	wait := time.Until(t)
	if wait <= 0 {
		return nil
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeMessages is the only function that calls Send. It returns when it has
// sent all messages of a member that is no longer in the room, or earlier if
// the stream has ended.
func writeMessages(stream serverStream, m *Member) error {
	for msg := range m.Messages() {
		if err := stream.Send(msg); err != nil {
			return err
		}
	}
	return m.Err()
}
