package grader

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/04-bidi/exercise/console"
	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
	"example.com/streams/internal/grade"
)

// A terminal is a client that is attached to a machine, and reads all the
// time. Its methods must not be called concurrently.
type terminal struct {
	*machine
	inputs chan *consolev1.Input // closed for the half-close
	cancel context.CancelFunc

	mu      sync.Mutex
	outputs []string // since the last call of shows
	ignored string   // an output that need not come
	reason  string   // the message of the status
}

// attach returns a terminal, and its machine, which runs the commands.
func attach(t *grade.T, server newServer) *terminal {
	m := newMachine(t)
	client := dial(t, server(m.run))
	ctx, cancel := context.WithCancel(t.Context())
	term := &terminal{machine: m, inputs: make(chan *consolev1.Input, 100), cancel: cancel}
	go func() {
		for out, err := range console.Session(ctx, client, term.inputs) {
			if err != nil {
				term.show(ended(status.Code(err)), status.Convert(err).Message())
				return
			}
			term.show(console.Text(out), "")
		}
		term.show(ended(codes.OK), "")
	}()
	return term
}

// show adds an output.
func (tm *terminal) show(output, reason string) {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	if output != tm.ignored {
		tm.outputs, tm.reason = append(tm.outputs, output), reason
	}
}

// ignore lets an output come, or not.
func (tm *terminal) ignore(output string) {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.ignored = output
}

// command sends commands.
func (tm *terminal) command(names ...string) {
	for _, name := range names {
		tm.inputs <- console.Command(name)
	}
}

// interrupt sends an interrupt, and waits until it has arrived.
func (tm *terminal) interrupt() {
	tm.inputs <- console.Interrupt()
	settle()
}

// shows compares the outputs since its last call, and the end of the RPC.
func (tm *terminal) shows(call string, want ...string) {
	settle()
	tm.mu.Lock()
	defer tm.mu.Unlock()
	got := list(tm.outputs)
	if tm.outputs = nil; got != list(want) {
		if tm.reason != "" {
			got += ": " + tm.reason
		}
		tm.t.Wrong(call+": the outputs", got, list(want))
	}
}

// ends counts the commands that have ended since the last call of shows or
// ends.
func (tm *terminal) ends() (n int) {
	settle()
	tm.mu.Lock()
	defer tm.mu.Unlock()
	for _, output := range tm.outputs {
		if strings.HasPrefix(output, "end with ") {
			n++
		}
	}
	tm.outputs = nil
	return n
}

// settle waits until nothing more happens at this time, and until Attach has
// returned if it does.
func settle() {
	time.Sleep(2 * returning)
	synctest.Wait()
}

// list returns lines, or what says that there are none.
func list(lines []string) string {
	if len(lines) == 0 {
		return "none"
	}
	return strings.Join(lines, "\n")
}

// dial returns a client of a server whose streams are watched.
func dial(t *grade.T, srv consolev1.ConsoleServiceServer) consolev1.ConsoleServiceClient {
	return consolev1.NewConsoleServiceClient(t.Serve(func(s grpc.ServiceRegistrar) {
		consolev1.RegisterConsoleServiceServer(s, watched{srv, t})
	}))
}

// returning is how long the RPC goes on after Attach has returned. In this
// time, the goroutines of Attach come to where they wait.
const returning = time.Millisecond

// A watched server gets watched streams.
type watched struct {
	consolev1.ConsoleServiceServer
	t *grade.T
}

func (w watched) Attach(stream attached) error {
	defer time.Sleep(returning)
	return w.ConsoleServiceServer.Attach(&watchedStream{attached: stream, t: w.t})
}

// A watchedStream finds two goroutines that are in Recv at the same time, or
// in Send.
type watchedStream struct {
	attached
	t            *grade.T
	recvs, sends atomic.Int32
}

func (s *watchedStream) Recv() (*consolev1.Input, error) {
	defer s.recvs.Add(-1)
	s.one("Recv", s.recvs.Add(1))
	return s.attached.Recv()
}

func (s *watchedStream) Send(out *consolev1.Output) error {
	defer s.sends.Add(-1)
	s.one("Send", s.sends.Add(1))
	return s.attached.Send(out)
}

func (s *watchedStream) one(method string, n int32) {
	if n > 1 {
		s.t.WrongFor("Two goroutines call Recv, or Send", "Attach, calling "+method,
			"two goroutines are in "+method+" at the same time", "one goroutine")
	}
}
