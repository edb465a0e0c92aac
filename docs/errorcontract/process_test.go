package errorcontract

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// childVar makes the test binary a server whose handlers panic.
const childVar = "ERRORCONTRACT_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) == "" {
		m.Run()
	} else if err := servePanics(); err != nil {
		panic(err)
	}
}

// servePanics prints its address, then a line when a handler has come to
// the point. The handler panics when stdin ends.
func servePanics() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var handlers sync.WaitGroup
	stdinEnded := make(chan struct{})
	s := grpc.NewServer()
	service{handle: func(h *serverEnd) error {
		if err := new(scene).greet(h); err != nil {
			return err
		}
		handlers.Add(1)
		fmt.Println("handler")
		<-stdinEnded
		panic("boom")
	}}.register(s)
	go func() { _ = s.Serve(listener) }()
	fmt.Println(listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	close(stdinEnded)
	handlers.Wait() // none: the test is gone; one: its panic ends the process
	return err
}

// A child is a process that servePanics runs in.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func (sc *scene) spawn() {
	exe, err := os.Executable()
	sc.must(err)
	c := &child{cmd: exec.CommandContext(sc.t.Context(), exe)}
	sc.child = c
	c.cmd.Env = append(os.Environ(), childVar+"=1", "GORACE=atexit_sleep_ms=0")
	c.cmd.Stderr = &c.stderr
	c.stdin, err = c.cmd.StdinPipe()
	sc.must(err)
	stdout, err := c.cmd.StdoutPipe()
	sc.must(err)
	c.stdout = bufio.NewReader(stdout)
	sc.must(c.cmd.Start())
	addr, err := c.stdout.ReadString('\n')
	sc.must(err)
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimSpace(addr),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	sc.must(err)
	sc.t.Cleanup(func() { conn.Close() })
	sc.stub = pitfallsv1.NewPitfallServiceClient(conn)
}

// dying waits until the process is dead of its handler's panic.
func dying(sc *scene) error {
	_, err := sc.child.stdout.ReadString('\n')
	sc.must(err)
	sc.must(sc.child.stdin.Close())
	err = sc.child.cmd.Wait()
	if err == nil || !strings.Contains(sc.child.stderr.String(), "panic: boom") {
		sc.t.Fatalf("the server ended with %v, not of its handler's panic:\n%s", err, &sc.child.stderr)
	}
	return nil
}
