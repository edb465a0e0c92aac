package bufnet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// cut starts a handler on a server of t, which calls then when its stream
// is cut.
func cut(t testing.TB, then func()) {
	server := Serve(t, register, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		<-stream.Context().Done()
		then()
		return nil
	}))
	_, err := server.Dial(t).NewStream(t.Context(), &grpc.StreamDesc{}, "/any/Method")
	require.NoError(t, err)
	synctest.Wait()
}

func TestTheEndOfATestWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		t.Cleanup(func() { require.Equal(t, time.Hour, time.Since(start)) })
		cut(t, func() { time.Sleep(time.Hour) })
	})
}

// The test runs itself in a process of its own, as the failure is a panic.
func TestAHandlerThatNeverReturnsFailsItsTest(t *testing.T) {
	if os.Getenv("NEVER_RETURN") != "" {
		synctest.Test(t, func(t *testing.T) {
			cut(t, func() { <-make(chan int) })
		})
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "NEVER_RETURN=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "panic: deadlock: all goroutines in bubble are blocked")
	require.Contains(t, string(out), "bufnet.TestAHandlerThatNeverReturnsFailsItsTest", "the handler, by name")
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (r *recorder) end() []string {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		r.cleanups[last]()
		r.cleanups = r.cleanups[:last]
	}
	return r.errors
}

type broken struct{}

func (broken) Close() error { return errors.New("broken") }

func TestAnEndThatFailsFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		server.Dial(r)
		closed := server.Dial(r)
		require.NoError(t, closed.Close())
		closeAfter(r, broken{}, "the server")
		require.Equal(t, []string{
			"bufnet: the server ended with broken",
			"bufnet: the connection ended with rpc error: code = Canceled desc = grpc: the client connection is closing",
		}, r.end())
	})
}

func TestAConnectionThatCannotBeMadeStopsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		server := Serve(r, register)
		require.Panics(t, func() { server.Dial(r, grpc.WithDefaultServiceConfig("{")) })
		require.Empty(t, r.end())
	})
}
