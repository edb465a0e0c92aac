package bidi

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Talk joins room as name. It sends what say yields and calls show with
// what arrives, each at its own pace. When say is closed, Talk half-closes
// and goes on until everything has arrived; then it returns nil.
//
// If the stream ends in another way, Talk returns its status. If show
// fails, Talk cancels the stream and returns that error. Talk may stop to
// receive from say at any time, so show must not wait for that.
func Talk(
	ctx context.Context, c chatv1.ChatServiceClient, room, name string,
	say <-chan string, show func(*chatv1.ChatMessage) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	stream, err := c.Chat(ctx)
	if err != nil {
		return err
	}
	join := &chatv1.Join{Room: room, Name: name}
	g.Go(func() error { return write(ctx, stream, join, say) })
	g.Go(func() error {
		defer cancel() // the writer may wait for say
		return read(stream, show)
	})
	return g.Wait()
}

type conversation = grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage]

// write is the only one that calls Send and CloseSend.
func write(ctx context.Context, stream conversation, join *chatv1.Join, say <-chan string) error {
	msg := &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Join{Join: join}}
	for {
		err := stream.Send(msg)
		if errors.Is(err, io.EOF) {
			return nil // the stream is over, and Recv says why
		}
		if err != nil {
			return err
		}
		select {
		case text, ok := <-say:
			if !ok {
				return stream.CloseSend()
			}
			msg = &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Text{Text: text}}
		case <-ctx.Done():
			return nil // Recv says why
		}
	}
}

// read is the only one that calls Recv.
func read(stream conversation, show func(*chatv1.ChatMessage) error) error {
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := show(msg); err != nil {
			return err
		}
	}
}
