// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/04-bidi/exercise/console"
	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
)

// Server implements ConsoleService.
type Server struct {
	consolev1.UnimplementedConsoleServiceServer

	// Run runs a command. It calls print for each line, in one goroutine, and
	// returns soon after print has failed or ctx has ended.
	Run func(ctx context.Context, command string, print func(line string) error) error
}

// Attach runs the commands of a stream. See the proto for their order, and for
// the codes.
//
// Attach itself calls neither Recv nor Send, so a client that sends nothing or
// reads nothing does not keep it from what happens next. It decides, one
// goroutine receives, and one more runs a command. Commands and interrupts
// come through one channel, so no interrupt overtakes a command. Only Attach uses the queue
// and the cancel function, so they need no lock.
func (s *Server) Attach(stream grpc.BidiStreamingServer[consolev1.Input, consolev1.Output]) error {
	inputs, read := make(chan *consolev1.Input), make(chan error, 1)
	go func() { read <- receive(stream, inputs) }()
	var waiting []string
	var ended chan error   // gets the result of the command that runs; nil if none runs
	interrupt := func() {} // has no effect after the command has ended
	halfClosed := false
	for !halfClosed || ended != nil {
		select {
		case in := <-inputs:
			switch request := in.GetRequest().(type) {
			case *consolev1.Input_Interrupt:
				interrupt()
			case *consolev1.Input_Command:
				// The queue has a limit, but Attach does not wait for room
				// in it: no interrupt would arrive in the meantime.
				if len(waiting) == console.MaxWaiting {
					return status.Errorf(codes.ResourceExhausted,
						"command: must not arrive while %d others wait", len(waiting))
				}
				waiting = append(waiting, request.Command)
			}
		case err := <-read:
			if err != nil {
				return err // the return ends the contexts of the stream and the command
			}
			halfClosed = true
		case err := <-ended:
			if interrupt(); err != nil { // releases the context
				return err
			}
			ended = nil
		}
		if ended == nil && len(waiting) > 0 {
			// The command's context ends with the stream or with an
			// interrupt, and an interrupt does not end the stream.
			ctx, cancel := context.WithCancel(stream.Context())
			command, result := waiting[0], make(chan error, 1)
			waiting, interrupt, ended = waiting[1:], cancel, result
			go func() { result <- s.run(ctx, stream, command) }()
		}
	}
	return nil
}

// receive passes on what the client sends. It returns nil after the half-close,
// and ends when Attach returns, whether it waits in Recv or for Attach.
func receive(
	stream grpc.BidiStreamingServer[consolev1.Input, consolev1.Output], inputs chan<- *consolev1.Input,
) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case inputs <- in:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// run runs a command and sends its output. Only one goroutine is in run, the
// only caller of Send: the next command begins after run has returned. The error of the
// command is an output; only that of Send ends the stream.
func (s *Server) run(
	ctx context.Context, stream grpc.BidiStreamingServer[consolev1.Input, consolev1.Output], command string,
) error {
	err := s.Run(ctx, command, func(line string) error { return stream.Send(console.Line(line)) })
	return stream.Send(console.End(err))
}
