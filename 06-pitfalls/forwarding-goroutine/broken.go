// Package forwardinggoroutine forwards a stream to a channel that nobody
// may read any more.
//
// Symptom: goroutines of the client pile up in "chan send", one per stream
// that was given up; the server has none of them.
//
// Cause: a cancel ends Recv, and it does not end the send to the channel
// that comes after it. Once the reader has left, that send waits for ever,
// and keeps the stream and its last message with it.
//
// Silence: the stream is cancelled as it should be, and nothing races. A
// test sees nothing either, unless it counts goroutines; a bubble of
// testing/synctest does, as it cannot end while one is left.
//
// Fix: select on the context beside each send to the channel. A buffer of
// one helps only if there is one message.
//
// Source: a cancel ends calls of the stream only, [grpc.ClientStream] of
// v1.85.0.
package forwardinggoroutine

import (
	"context"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// BrokenCount returns the numbers that req asks for, and at last the error
// that ended them. Cancel ctx to give up.
func BrokenCount(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, req *pitfallsv1.CountRequest,
) (<-chan item, error) {
	stream, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	items := make(chan item)
	go func() {
		defer close(items)
		for {
			n, err := stream.Recv()
			items <- item{n.GetValue(), err}
			if err != nil {
				return
			}
		}
	}()
	return items, nil
}
