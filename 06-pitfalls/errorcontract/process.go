package errorcontract

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/testproc"
)

// panicServerVar makes the test binary a server whose handlers panic.
const panicServerVar = "ERRORCONTRACT_PANIC_SERVER"

// runPanicServer prints its address, and a line when a handler has exchanged
// its messages. The handler panics when stdin ends.
func runPanicServer() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var handlers sync.WaitGroup
	stdinEnded := make(chan struct{})
	s := grpc.NewServer()
	stub{handle: func(h *serverEnd) error {
		if err := exchange(h, false); err != nil {
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
	handlers.Wait() // a handler's panic ends the process here
	return err
}

// A panicServer is a process that runs runPanicServer.
type panicServer struct {
	*testproc.Process
	rpcs pitfallsv1.PitfallServiceClient
}

func startPanicServer(t *testing.T) *panicServer {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), panicServerVar+"=1", "GORACE=atexit_sleep_ms=0")
	p := testproc.StartCmd(t, cmd)
	conn, err := grpc.NewClient("passthrough:///"+p.Line(p.Stdout),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &panicServer{p, pitfallsv1.NewPitfallServiceClient(conn)}
}

// killedByPanic waits until the handler's panic has ended the process.
func killedByPanic(f *fixture) error {
	require.Equal(f.t, "handler", f.panicServer.Line(f.panicServer.Stdout))
	_, _, stderr := f.panicServer.Wait()
	require.Contains(f.t, stderr, "panic: boom")
	return nil
}
