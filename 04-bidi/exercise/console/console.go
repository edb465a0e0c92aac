// Package console is given: the messages of ConsoleService, and its client.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
)

// MaxWaiting is how many commands of a stream may wait for the one that runs.
const MaxWaiting = 8

// Command returns the input that asks for a command.
func Command(command string) *consolev1.Input {
	return &consolev1.Input{Request: &consolev1.Input_Command{Command: command}}
}

// Interrupt returns the input that cancels the command that runs.
func Interrupt() *consolev1.Input {
	return &consolev1.Input{Request: &consolev1.Input_Interrupt{Interrupt: &consolev1.Interrupt{}}}
}

// Line returns the output for a line that a command printed.
func Line(line string) *consolev1.Output {
	return &consolev1.Output{Event: &consolev1.Output_Line{Line: line}}
}

// End returns the last output of a command that returned err. The code is OK
// for nil, Canceled if err is or wraps context.Canceled, that of the status if
// err is or wraps one, and otherwise Unknown.
func End(err error) *consolev1.Output {
	s := status.Convert(err)
	if errors.Is(err, context.Canceled) {
		s = status.New(codes.Canceled, err.Error())
	}
	end := &consolev1.End{Code: int32(s.Code()), Message: s.Message()}
	return &consolev1.Output{Event: &consolev1.Output_End{End: end}}
}

// Text returns what an output says.
func Text(out *consolev1.Output) string {
	if end := out.GetEnd(); end != nil {
		return fmt.Sprintf("end with %v", codes.Code(end.GetCode()))
	}
	return out.GetLine()
}

// Session returns an iterator that sends inputs, and half-closes when the
// channel is closed. It yields the outputs, and at last the status, unless the
// status is OK. A loop that breaks cancels the call.
func Session(
	ctx context.Context, c consolev1.ConsoleServiceClient, inputs <-chan *consolev1.Input,
) iter.Seq2[*consolev1.Output, error] {
	return func(yield func(*consolev1.Output, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var writer sync.WaitGroup
		defer writer.Wait()
		defer cancel() // the writer may wait in Send or for an input
		stream, err := c.Attach(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		writer.Go(func() { write(ctx, stream, inputs) })
		for {
			out, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// write ends when the channel is closed, when the stream has ended, or with
// ctx. Recv returns the reason why Send failed.
func write(
	ctx context.Context, stream grpc.BidiStreamingClient[consolev1.Input, consolev1.Output],
	inputs <-chan *consolev1.Input,
) {
	for {
		select {
		case in, ok := <-inputs:
			if !ok {
				_ = stream.CloseSend() // always nil
				return
			}
			if stream.Send(in) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
