package grader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/04-bidi/exercise/console"
	"example.com/streams/internal/grade"
)

// lines runs commands that print a line each second.
func lines(t *grade.T, server newServer) {
	term := attach(t, server)
	for range 2 {
		var texts []string
		for range 1 + t.Rand.IntN(4) {
			texts = append(texts, fmt.Sprintf("%d files", t.Rand.IntN(1000)))
		}
		term.command(term.add(func(_ context.Context, print func(string) error) error {
			for _, text := range texts {
				if err := print(text); err != nil {
					return err
				}
				time.Sleep(time.Second)
			}
			return nil
		}))
		for i, text := range texts {
			term.shows(fmt.Sprintf("Attach, when the command has printed line %d of %d", i+1, len(texts)), text)
			time.Sleep(time.Second)
		}
		term.shows("Attach, when the command has ended", "end with OK")
	}
}

// fails runs commands that return errors.
func fails(t *grade.T, server newServer) {
	term := attach(t, server)
	for range 3 {
		code := codes.Code(2 + t.Rand.IntN(15)) // neither OK nor Canceled
		term.command(term.add(func(_ context.Context, print func(string) error) error {
			if err := print("trying"); err != nil {
				return err
			}
			return status.Error(code, "the command has failed")
		}))
		term.shows(fmt.Sprintf("Attach, with a command that returns %v", code), "trying", fmt.Sprintf("end with %v", code))
	}
}

// interrupted sends an interrupt too early, another one in time, and a third
// one while the command stops.
func interrupted(t *grade.T, server newServer) {
	term := attach(t, server)
	for range 2 {
		term.interrupt()
		term.shows("Attach, with an interrupt while no command runs")
		term.command(term.endless())
		time.Sleep(time.Minute)
		term.shows("Attach, a minute after an endless command has begun", "running")
		term.interrupt()
		term.interrupt()
		time.Sleep(time.Second)
		term.shows("Attach, with two interrupts while a command runs", "end with Canceled")
		names, outputs := term.echo(1)
		term.command(names...)
		term.shows("Attach, with a command after the one that was interrupted", outputs...)
	}
}

// inOrder sends commands, and then an interrupt, while another command runs.
// At last it sends commands and interrupts at once.
func inOrder(t *grade.T, server newServer) {
	term := attach(t, server)
	for range 3 {
		n := 2 + t.Rand.IntN(2)
		first := term.endless()
		names, outputs := term.echo(n)
		term.command(first)
		term.shows("Attach, when an endless command has begun", "running")
		term.command(names...)
		call := fmt.Sprintf("Attach, with %d commands while another one runs", n)
		term.shows(call)
		term.interrupt()
		time.Sleep(time.Second)
		term.shows(call+", and then an interrupt", slices.Concat([]string{"end with Canceled"}, outputs)...)
	}
	for range 10 {
		names, _ := term.echo(console.MaxWaiting)
		for _, name := range names {
			term.command(name)
			term.inputs <- console.Interrupt()
		}
		t.Equal(fmt.Sprintf("Attach, with %d commands and interrupts in turn: the number of ends", len(names)),
			len(names), term.ends())
	}
}

// halfClosed half-closes while no command runs, and while commands run and
// wait.
func halfClosed(t *grade.T, server newServer) {
	idle := attach(t, server)
	settle()
	close(idle.inputs)
	idle.shows("Attach, with a half-close while no command runs", ended(codes.OK))
	for _, n := range []int{0, 2} {
		term := attach(t, server)
		slow := term.slow()
		names, outputs := term.echo(n)
		term.command(slow)
		settle()
		term.command(names...)
		close(term.inputs)
		call := fmt.Sprintf("Attach, with a half-close while a command runs and %d wait", n)
		term.shows(call)
		time.Sleep(time.Minute)
		want := slices.Concat([]string{"slow", "end with OK"}, outputs, []string{ended(codes.OK)})
		term.shows(call+", when the command has ended", want...)
	}
}

// gone cancels the call while a command runs and others wait.
func gone(t *grade.T, server newServer) {
	term := attach(t, server)
	var canceled, failed error
	first := term.add(func(ctx context.Context, print func(string) error) error {
		<-ctx.Done()
		canceled = ctx.Err()
		time.Sleep(time.Second)
		failed = print("nobody reads this")
		return failed
	})
	names, _ := term.echo(3)
	term.command(first)
	settle()
	term.command(names...)
	settle()
	term.cancel()
	time.Sleep(time.Second)
	settle()
	const call = "Attach, when the client cancels while a command runs and 3 wait"
	if canceled == nil {
		t.Wrong(call+": the command's context", "goes on", "ends")
	}
	if failed == nil {
		t.Wrong(call+": print", "returns nil", "returns the error of Send")
	}
	t.Equal(call+": what has begun", first, list(term.ran()))
}

// full sends as many commands as may wait, and then more. Only one more is
// refused, but those behind it find goroutines that wait for Attach.
func full(t *grade.T, server newServer) {
	for _, n := range []int{console.MaxWaiting, console.MaxWaiting + 1, console.MaxWaiting + 3} {
		term := attach(t, server)
		first := term.endless()
		names, _ := term.echo(n)
		term.command(first)
		term.shows("Attach, when an endless command has begun", "running")
		term.command(names...)
		call := fmt.Sprintf("Attach, with %d commands while another one runs", n)
		if n > console.MaxWaiting {
			term.ignore("end with Canceled") // Attach may wait for the end of the command
			time.Sleep(time.Second)
			term.shows(call, ended(codes.ResourceExhausted))
			t.Equal(call+": what has begun", first, list(term.ran()))
			continue
		}
		term.shows(call)
		term.interrupt()
		time.Sleep(time.Second)
		settle()
		t.Equal(call+", and then an interrupt: the number of commands that have begun", 1+n, len(term.ran()))
	}
}

// unread does not read what commands print, or how they end.
func unread(t *grade.T, server newServer) {
	unreadLines(t, server)
	unreadEnd(t, server)
}

// unreadLines never reads what an endless command prints.
func unreadLines(t *grade.T, server newServer) {
	const most = 50_000 // lines of 1 KiB, far more than the windows hold
	m := newMachine(t)
	client := dial(t, server(m.run))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := client.Attach(ctx)
	t.Code("opening the stream", codes.OK, err)
	running := ctx
	_ = stream.Send(console.Command(m.add(func(ctx context.Context, print func(string) error) error {
		running = ctx
		for range most {
			if err := print(strings.Repeat("x", 1<<10)); err != nil {
				return err
			}
		}
		t.Wrong("print, while the client does not read", fmt.Sprintf("%d KiB are printed", most), "print waits in Send")
		return nil
	})))
	settle()
	if running.Err() != nil {
		t.Wrong("Attach, while the client does not read: the command's context", "ends", "goes on")
	}
	_ = stream.Send(console.Interrupt())
	settle()
	if running.Err() == nil {
		t.Wrong("Attach, with an interrupt while the client does not read: the command's context", "goes on", "ends")
	}
}

// unreadEnd sends a command and an interrupt while the end of another command
// waits in Send. No command runs then, so the interrupt has no effect.
func unreadEnd(t *grade.T, server newServer) {
	m := newMachine(t)
	client := dial(t, server(m.run))
	stream, err := client.Attach(t.Context())
	t.Code("opening the stream", codes.OK, err)
	_ = stream.Send(console.Command(m.add(func(_ context.Context, print func(string) error) error {
		return print(strings.Repeat("x", 1<<20)) // the windows do not hold it, so the end waits
	})))
	settle()
	_ = stream.Send(console.Command(m.slow()))
	_ = stream.Send(console.Interrupt())
	settle()
	_ = stream.CloseSend()
	var got []string
	for {
		out, err := stream.Recv()
		if err != nil {
			break
		}
		if text := console.Text(out); len(text) < 100 {
			got = append(got, text)
		}
	}
	t.Equal("Attach, with a command and an interrupt while an end is not read: the outputs",
		list([]string{"end with OK", "slow", "end with OK"}), list(got))
}

// itsOwnEnd interrupts commands that return something else than the error of
// their context.
func itsOwnEnd(t *grade.T, server newServer) {
	term := attach(t, server)
	for _, err := range []error{nil, status.Error(codes.Aborted, "cleaned up")} {
		term.command(term.add(func(ctx context.Context, _ func(string) error) error {
			<-ctx.Done()
			return err
		}))
		settle()
		term.interrupt()
		term.shows(fmt.Sprintf("Attach, with an interrupt, after which Run returns %v", status.Code(err)),
			fmt.Sprintf("end with %v", status.Code(err)))
	}
}

// ended is what a terminal shows when the RPC ends.
func ended(code codes.Code) string { return fmt.Sprintf("the RPC ends with %v", code) }
