package bubble

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

var (
	outside = make(chan int) // not of a bubble
	group   sync.WaitGroup   // of no bubble, because it is a package variable
)

// aProcess is the only row whose wait is a system call.
const aProcess = "a process that `exec.Cmd` started"

// The dump says of each goroutine whether it is durably blocked.
func TestWaits_AreDurableOrNot(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems name some states in another way")
	}
	var table strings.Builder
	table.WriteString("| A goroutine waits for | A dump on Linux says | Does the clock go on? |\n|---|---|---|\n")
	for _, tt := range []struct {
		what string
		// start makes what waits and what ends the wait.
		start func(t *testing.T) (wait, release func())
	}{
		{"a channel of the bubble", func(*testing.T) (wait, release func()) {
			c := make(chan int)
			return func() { <-c }, func() { close(c) }
		}},
		{"a `select` over channels of the bubble", func(t *testing.T) (wait, release func()) {
			c := make(chan int)
			return func() {
				select {
				case <-c:
				case <-t.Context().Done():
				}
			}, func() { close(c) }
		}},
		{"`time.Sleep`", func(*testing.T) (wait, release func()) {
			return func() { time.Sleep(time.Second) }, func() { time.Sleep(time.Minute) }
		}},
		{"`sync.WaitGroup.Wait`, after an `Add` in the bubble", func(*testing.T) (wait, release func()) {
			var g sync.WaitGroup
			g.Add(1)
			return g.Wait, g.Done
		}},
		{"the same of a package variable", func(*testing.T) (wait, release func()) {
			group.Add(1)
			return group.Wait, group.Done
		}},
		{"`sync.Cond.Wait`", func(*testing.T) (wait, release func()) {
			var mu sync.Mutex
			c := sync.NewCond(&mu)
			return func() { mu.Lock(); defer mu.Unlock(); c.Wait() }, c.Signal
		}},
		{"`sync.Mutex.Lock`", func(*testing.T) (wait, release func()) {
			var mu sync.Mutex
			mu.Lock()
			return func() { mu.Lock(); defer mu.Unlock() }, mu.Unlock
		}},
		{"a channel that was made outside the bubble", func(*testing.T) (wait, release func()) {
			return func() { <-outside }, func() { outside <- 1 }
		}},
		{"a socket", func(t *testing.T) (wait, release func()) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			return func() { _, _ = l.Accept() }, func() { _ = l.Close() }
		}},
		{"a pipe of the operating system", func(t *testing.T) (wait, release func()) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			return func() { _, _ = io.ReadAll(r); _ = r.Close() }, func() { _ = w.Close() }
		}},
		{aProcess, func(t *testing.T) (wait, release func()) {
			cmd := exec.Command("cat")
			stdin, err := cmd.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			return func() { _, _ = cmd.Process.Wait() }, func() { _ = stdin.Close() }
		}},
	} {
		var state string
		goesOn := "yes"
		var moved, movedBeforeRelease atomic.Bool
		releases := make(chan func(), 1)
		go func() { // outside the bubble
			for release := range releases {
				time.Sleep(10 * time.Millisecond) // a clock that can move moves meanwhile
				movedBeforeRelease.Store(moved.Load())
				release()
			}
		}()
		synctest.Test(t, func(t *testing.T) {
			wait, release := tt.start(t)
			go waiter(wait)
			if state = stateOf("bubble.waiter(", tt.what == aProcess); !strings.Contains(state, "(durable)") {
				goesOn = "no"
				releases <- release
				release = func() {}
			}
			time.Sleep(time.Hour)
			moved.Store(true)
			release()
		})
		close(releases)
		require.False(t, movedBeforeRelease.Load(), tt.what)
		fmt.Fprintf(&table, "| %s | `[%s]` | %s |\n", tt.what, state, goesOn)
	}
	golden.Section(t, "../testing-in-a-bubble.md", "waits", table.String())
}

//go:noinline
func waiter(wait func()) { wait() }

// stateOf returns the state of the goroutine that calls a function, once it
// waits. Most goroutines are in a system call only on the way there.
func stateOf(function string, inSyscall bool) string {
	for {
		runtime.Gosched()
		for _, stack := range memservertest.Goroutines() {
			_, rest, _ := strings.Cut(stack, "[")
			state, _, _ := strings.Cut(rest, ", synctest bubble")
			if strings.Contains(stack, function) && state != "runnable" && state != "running" &&
				(state != "syscall" || inSyscall) {
				return state
			}
		}
	}
}
