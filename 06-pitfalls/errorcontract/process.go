package errorcontract

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/internal/testproc"
)

// panicServerVar makes the test binary a server whose handlers panic.
const panicServerVar = "ERRORCONTRACT_PANIC_SERVER"

// runPanicServer prints its address, and a line when the handler has exchanged
// its messages. The handler panics when stdin ends, which ends the process.
func runPanicServer() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	stub(func(h *serverEnd) error {
		if err := exchange(h, false); err != nil {
			return err
		}
		fmt.Println("handler")
		_, _ = io.Copy(io.Discard, os.Stdin)
		panic("boom")
	}).Register(s)
	fmt.Println(listener.Addr())
	return s.Serve(listener)
}

// startPanicServer runs runPanicServer in a process and connects to it.
func (f *fixture) startPanicServer() {
	executable, err := os.Executable()
	require.NoError(f.t, err)
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), panicServerVar+"=1", "GORACE=atexit_sleep_ms=0")
	f.panicServer = testproc.StartCmd(f.t, cmd)
	conn, err := grpc.NewClient("passthrough:///"+f.panicServer.Line(f.panicServer.Stdout),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = conn.Close() })
	f.conn = conn
}

// killedByPanic waits until the handler's panic has ended the process.
func killedByPanic(f *fixture) error {
	require.Equal(f.t, "handler", f.panicServer.Line(f.panicServer.Stdout))
	_, _, stderr := f.panicServer.Wait()
	require.Contains(f.t, stderr, "panic: boom")
	return nil
}
