package bidi

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"google.golang.org/grpc"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Talk returns an iterator that joins a room and yields the messages of the
// room, the member's own texts included, as they arrive. Each loop over the
// iterator is one call of Chat. Breaking out of the loop cancels the call. If
// the call does not end with OK, the last error is the status of the call.
//
// During the loop, Talk sends the texts that it receives from say. When the
// caller closes say, Talk half-closes, and the loop ends after the last
// message. If say is nil, Talk sends no text. Talk may stop receiving from
// say at any time. So the loop must not wait until Talk receives a text, and
// a goroutine that sends to say needs another way to end. Talk's own
// goroutine ends before the loop does.
func Talk(
	ctx context.Context, c chatv1.ChatServiceClient, room, name string, say <-chan string,
) iter.Seq2[*chatv1.ChatMessage, error] {
	return func(yield func(*chatv1.ChatMessage, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var writer sync.WaitGroup
		defer writer.Wait()
		defer cancel() // the writer may wait in Send or for say
		stream, err := c.Chat(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		writer.Go(func() { write(ctx, stream, joinMessage("", room, name), say) })
		for {
			msg, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(msg, err) || err != nil {
				return
			}
		}
	}
}

// write is the only function that calls Send and CloseSend. After an error
// of Send, the stream has ended and Recv returns its status.
func write(
	ctx context.Context, stream grpc.BidiStreamingClient[chatv1.ChatMessage, chatv1.ChatMessage],
	join *chatv1.ChatMessage, say <-chan string,
) {
	err := stream.Send(join)
	for err == nil {
		select {
		case text, ok := <-say:
			if !ok {
				_ = stream.CloseSend() // always nil
				return
			}
			err = stream.Send(textMessage("", text))
		case <-ctx.Done():
			return
		}
	}
}
