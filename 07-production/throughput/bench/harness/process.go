package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"
)

// serverKey is the environment variable that makes this program a server.
const serverKey = "BENCH_SERVER"

// A Server is what runs in a process of its own.
type Server struct {
	// Addr is where it listens.
	Addr string
	// Handle answers a request of [Process.Call], one at a time.
	Handle func(request string) (answer string, err error)
	// Close ends it.
	Close func() error
}

// A Process is a server that this program has started. Its methods must not
// be called concurrently.
type Process struct {
	Addr string

	in  *json.Encoder
	out *json.Decoder
}

// Usage is what a process uses.
type Usage struct {
	CPU        time.Duration
	Heap       uint64 // bytes of the spans of the heap, and of stacks
	Goroutines int
}

// A message goes to the server's process, or comes from it.
type message struct {
	Text        string
	Error       string
	AskUsage    bool
	CollectHeap bool
	Usage       Usage
}

// StartServer starts this program again, as the server of this name. It ends
// with the sample, and the time of its CPU counts.
func (r *Run) StartServer(name string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(r.Context, self)
	cmd.Env = append(os.Environ(), serverKey+"="+name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.Defer(func() error {
		_ = in.Close() // the server returns
		return cmd.Wait()
	})
	p := &Process{in: json.NewEncoder(in), out: json.NewDecoder(out)}
	hello, err := p.receive()
	p.Addr = hello.Text
	r.servers = append(r.servers, p)
	return p, err
}

// Call sends a request to the server, and returns its answer.
func (p *Process) Call(request string) (string, error) {
	if err := p.in.Encode(message{Text: request}); err != nil {
		return "", fmt.Errorf("the server's process: %w", err)
	}
	answer, err := p.receive()
	return answer.Text, err
}

// Usage returns what the server's process uses, after a garbage collection
// if collect is true.
func (p *Process) Usage(collect bool) (Usage, error) {
	if err := p.in.Encode(message{AskUsage: true, CollectHeap: collect}); err != nil {
		return Usage{}, fmt.Errorf("the server's process: %w", err)
	}
	answer, err := p.receive()
	return answer.Usage, err
}

func (p *Process) receive() (message, error) {
	var m message
	err := p.out.Decode(&m)
	if err != nil {
		err = fmt.Errorf("the server's process: %w", err)
	} else if m.Error != "" {
		err = errors.New(m.Error)
	}
	return m, err
}

// Serve is what a program calls first. In a process of [Run.StartServer], it
// runs the server and returns true when the process shall end.
func Serve(start func(name string) (*Server, error)) (served bool, err error) {
	name, ok := os.LookupEnv(serverKey)
	if !ok {
		return false, nil
	}
	out := json.NewEncoder(os.Stdout)
	s, err := start(name)
	if err != nil {
		return true, out.Encode(message{Error: err.Error()})
	}
	if err := out.Encode(message{Text: s.Addr}); err != nil {
		return true, errors.Join(err, s.Close())
	}
	return true, errors.Join(s.answer(json.NewDecoder(os.Stdin), out), s.Close())
}

// answer answers until the other process closes the pipe.
func (s *Server) answer(in *json.Decoder, out *json.Encoder) error {
	for {
		var request, reply message
		if err := in.Decode(&request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if request.AskUsage {
			reply.Usage = ReadUsage(request.CollectHeap)
		} else if text, err := s.Handle(request.Text); err != nil {
			reply.Error = err.Error()
		} else {
			reply.Text = text
		}
		if err := out.Encode(reply); err != nil {
			return err
		}
	}
}

// ReadUsage returns what this process uses, after a garbage collection if
// collect is true.
func ReadUsage(collect bool) Usage {
	if collect {
		runtime.GC()
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{CPU: cpuTime(), Heap: m.HeapInuse + m.StackInuse, Goroutines: runtime.NumGoroutine()}
}
