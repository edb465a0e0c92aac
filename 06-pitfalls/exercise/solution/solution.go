// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Displays is the handler of Ping, for the office. It returns how many
// displays there are. If count fails, the call fails with the code of its
// error.
func Displays(
	ctx context.Context, count func(context.Context) (int64, error),
) (*pitfallsv1.PingResponse, error) {
	n, err := count(ctx)
	if err != nil {
		// %w keeps the status, which an error made of text does not have:
		// such an error ends the call with Unknown. See plain-error.
		return nil, fmt.Errorf("count the displays: %w", err)
	}
	return &pitfallsv1.PingResponse{OpenStreams: n}, nil
}

// Enter is a client of Echo. It asks a gate to let groups of visitors in, one
// group after the other. After the last group, Enter waits for the end of the
// call. It returns the answers, and the error of the call, nil for OK.
func Enter(ctx context.Context, c pitfallsv1.PitfallServiceClient, groups ...int64) ([]int64, error) {
	stream, err := c.Echo(ctx)
	if err != nil {
		return nil, err
	}
	var answers []int64
	for _, size := range groups {
		_ = stream.Send(&pitfallsv1.Number{Value: size}) // Recv returns the reason
		answer, err := stream.Recv()
		if err != nil {
			return answers, err
		}
		answers = append(answers, answer.GetValue())
	}
	// Without the half-close the gate waits for the next group, and the Recv
	// below waits for the gate. See missing-closesend.
	_ = stream.CloseSend() // always nil
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return answers, err
	}
	return answers, nil
}

// Admit is the handler of Echo, at a gate. Each number is the size of a group,
// and the answer is how many visitors are inside after enter has let the group
// in. The call ends with OK after the last group. If the client cancels the
// call before, Admit returns an error.
func Admit(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
	enter func(size int64) (inside int64),
) error {
	for {
		group, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the half-close is no failure; see handler-returns-eof
		}
		if err != nil {
			return fmt.Errorf("receive a group: %w", err)
		}
		inside := &pitfallsv1.Number{Value: enter(group.GetValue())}
		if err := stream.Send(inside); err != nil {
			return err
		}
	}
}

// Report is a client of Sum. It sends how many visitors came through a door in
// each minute, and returns the sum. If the server refuses a number, Report
// stops, and returns an error with the status of the refusal.
func Report(ctx context.Context, c pitfallsv1.PitfallServiceClient, minutes iter.Seq[int64]) (int64, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return 0, err
	}
	for visitors := range minutes {
		if err = stream.Send(&pitfallsv1.Number{Value: visitors}); err != nil {
			break
		}
	}
	// io.EOF says only that the call has ended. CloseAndRecv
	// returns the status. See send-eof.
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("send the report: %w", err)
	}
	response, err := stream.CloseAndRecv()
	return response.GetSum(), err
}

// Peak is a client of Count. It returns the highest of the next n numbers of
// visitors. When Peak returns, nothing of the call is left.
func Peak(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int) (int64, error) {
	// A stream that is not read to its end needs a cancel. See
	// abandoned-stream.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return 0, err
	}
	var peak int64
	for range n {
		visitors, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		peak = max(peak, visitors.GetValue())
	}
	return peak, nil
}

// Show is the handler of Count, for a display. It sends the number of visitors
// whenever the number changes, until changes is closed or the client has left.
func Show(stream grpc.ServerStreamingServer[pitfallsv1.Number], changes <-chan int64) error {
	last := int64(-1)
	for {
		var visitors int64
		var ok bool
		// At night nothing changes, so no Send fails. Only the context says
		// that the client has left. See ignored-context.
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case visitors, ok = <-changes:
		}
		if !ok {
			return nil
		}
		if visitors == last {
			continue
		}
		if err := stream.Send(&pitfallsv1.Number{Value: visitors}); err != nil {
			return err
		}
		last = visitors
	}
}

// Follow is a client of Count. It passes each number of visitors on to
// display, and returns the error with which the call ends, nil for OK. When
// ctx ends, Follow returns an error.
func Follow(ctx context.Context, c pitfallsv1.PitfallServiceClient, display chan<- int64) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return err
	}
	for {
		visitors, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// The end of ctx ends Recv, but not a send to a channel that nobody
		// reads. See forwarding-goroutine.
		select {
		case display <- visitors.GetValue():
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

// Watch is the handler of Count, for a guard. It sends pictures, which have a
// large padding, and alarms, which have none, each in their order, until both
// channels are closed. If the client leaves, the caller closes both channels.
// However slowly the guard reads, each picture and each alarm arrives.
func Watch(
	stream grpc.ServerStreamingServer[pitfallsv1.Number], pictures, alarms <-chan *pitfallsv1.Number,
) error {
	// Of two Sends that wait, grpc-go may wake only one. See concurrent-send.
	var sending sync.Mutex
	send := func(n *pitfallsv1.Number) error {
		sending.Lock()
		defer sending.Unlock()
		return stream.Send(n)
	}
	var senders errgroup.Group
	for _, source := range []<-chan *pitfallsv1.Number{pictures, alarms} {
		senders.Go(func() error {
			for n := range source {
				if err := send(n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return senders.Wait()
}
