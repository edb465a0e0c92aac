package cancellation

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

// recvWithin receives a tick. If no tick comes within the idle timeout,
// recvWithin calls cancel, which must cancel the context of stream, and
// returns DeadlineExceeded. Time that passes between two calls does not count.
//
// recvWithin is not exported, because a caller that passes the cancel function
// of another context may wait forever. [Ticks] makes all three arguments itself.
func recvWithin(
	idle time.Duration, stream grpc.ServerStreamingClient[tickerv1.Tick],
	cancel context.CancelFunc,
) (*tickerv1.Tick, error) {
	timer := time.AfterFunc(idle, cancel)
	tick, err := stream.Recv()
	if !timer.Stop() { // the timeout has passed
		return nil, status.Errorf(codes.DeadlineExceeded, "the server sent nothing for %v", idle)
	}
	return tick, err
}

// SendWithin sends a tick, or returns Aborted if Send has not returned
// within timeout. After an error, return from the handler: that ends the
// context of the stream, and with it the Send that still waits. Behind
// [grpc.Server.ServeHTTP], both last until the client reads or leaves.
//
// Send waits as long as the client reads nothing and all buffers are full.
func SendWithin(
	timeout time.Duration, stream grpc.ServerStreamingServer[tickerv1.Tick], tick *tickerv1.Tick,
) error {
	sent := make(chan error, 1) // keeps a result that comes too late
	go func() { sent <- stream.Send(tick) }()
	select {
	case err := <-sent:
		return err
	case <-time.After(timeout):
		return status.Errorf(codes.Aborted, "the client read nothing for %v", timeout)
	}
}
