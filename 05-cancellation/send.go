package cancellation

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// SendWithin sends a tick, but gives up with Aborted after limit. A handler
// must then return: its stream's context ends with it, and only that wakes
// the Send which still waits for the reader.
//
// Send itself waits as long as the reader likes, because a server cannot
// cancel the context of its own stream.
func SendWithin(
	limit time.Duration, stream grpc.ServerStreamingServer[tickerv1.Tick], tick *tickerv1.Tick,
) error {
	sent := make(chan error, 1) // holds the result if nobody waits for it
	go func() { sent <- stream.Send(tick) }()
	select {
	case err := <-sent:
		return err
	case <-time.After(limit):
		return status.Errorf(codes.Aborted, "you read nothing for %v", limit)
	}
}
