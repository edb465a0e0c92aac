package errortexts

import (
	"context"
	"os/exec"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// crashes are what Go prints about panics, fatal errors and data races.
var crashes = []text{
	{
		shows: `fatal error: all goroutines are asleep - deadlock!`,
		who:   "your code",
		fix: "No goroutine can go on, so the process ends. The stacks below show where. A program " +
			"that hangs without this error has [stacks](#goroutine-stacks-of-a-program-that-hangs), too.",
		produce: func(t *testing.T) string {
			out, err := exec.CommandContext(t.Context(), "go", "run", "./testdata/asleep").CombinedOutput()
			require.Error(t, err)
			return string(out)
		},
	},
	{
		shows: `fatal error: concurrent map read and map write`,
		who:   "your code",
		fix: "One goroutine reads a map while another one writes to it, for example in two handlers that share " +
			"the map: {shared-state}.",
		produce: crashing(func(*testing.T) {
			m := map[int]int{}
			forever(1, func() { m[0] = 1 })
			forever(4, func() { _ = m[0] })
			select {}
		}),
	},
	{
		shows: `fatal error: concurrent map writes`,
		who:   "your code",
		fix:   "Two goroutines write to the same map, for example in two handlers that share it: {shared-state}.",
		produce: crashing(func(*testing.T) {
			m := map[int]int{0: 1} // an insertion can fail with another text
			forever(4, func() { m[0] = 1 })
			select {}
		}),
	},
	{
		shows:   `panic: assignment to entry in nil map`,
		who:     "your code",
		fix:     "A map must be made before it is written to. In a handler, this can end the whole server: {handler-panic}.",
		produce: panicking(func(echoServer) { hub := new(struct{ names map[int]string }); hub.names[0] = "ann" }),
	},
	{
		shows: `panic: close of closed channel`,
		who:   "your code",
		fix: "The same channel is closed twice. Let only the goroutine that sends close it. If several " +
			"send, wait for all of them first, such as with a `sync.WaitGroup`. In a handler, this " +
			"can end the whole server: {handler-panic}.",
		produce: panicking(func(echoServer) { c := make(chan int); close(c); close(c) }),
	},
	{
		shows: `panic: deadlock: all goroutines in bubble are blocked [recovered, repanicked]`,
		who:   "your test",
		fix: "In a `synctest` bubble, every goroutine waits forever; the stacks below show " +
			"where. Look for a handler that never returns: {ignored-context}.",
		produce: crashing(func(t *testing.T) {
			synctest.Test(t, func(*testing.T) { <-make(chan int) })
		}),
	},
	{
		shows: `panic: deadlock: main bubble goroutine has exited but blocked goroutines remain [recovered, repanicked]`,
		who:   "your test",
		fix: "The test has ended, and a goroutine that was started in its bubble still waits: a leak in the test or in the code that is " +
			"tested: {forwarding-goroutine}, {abandoned-stream}.",
		produce: crashing(func(t *testing.T) {
			synctest.Test(t, func(*testing.T) { go func() { <-make(chan int) }() })
		}),
	},
	{
		shows: `panic: runtime error: index out of range [...] with length ...`,
		who:   "your code",
		fix: "An index is outside of its slice, array or string. In a handler, this can end the whole server with all its streams. Check what " +
			"clients send, and recover in an interceptor: {handler-panic}.",
		produce: panicking(func(stream echoServer) {
			n, _ := stream.Recv()
			_ = make([]int, 5)[n.GetValue()]
		}),
	},
	{
		shows: `panic: runtime error: invalid memory address or nil pointer dereference`,
		who:   "your code",
		fix: "For example, the code used a field behind a nil pointer. In a handler, this can end the whole server: {handler-panic}. On a " +
			"client, look at the error of a call before its result.",
		produce: panicking(func(echoServer) { var s *service.Server; s.OnEcho = nil }),
	},
	{
		shows: `panic: send on closed channel`,
		who:   "your code",
		fix: "A goroutine sends to a channel that has been closed. Let only the goroutine that sends " +
			"close it. If several send, wait for all of them first, such as with a `sync.WaitGroup`. In a " +
			"handler, this can end the whole server: {handler-panic}.",
		produce: panicking(func(echoServer) { c := make(chan int); close(c); c <- 1 }),
	},
	{
		shows: `WARNING: DATA RACE`,
		who:   "your code",
		fix: "Two goroutines use the same memory, at least one of them writes, and nothing orders them. The two stacks below name them: " +
			"{shared-state}, {message-reuse}, {concurrent-recv}, {concurrent-closesend}.",
		produce: func(t *testing.T) string {
			return pitfalltest.RaceReport(t, func() {
				n := 0
				done := make(chan bool)
				go func() { n++; close(done) }()
				n++
				<-done
			})
		},
	},
}

// panicking returns a producer of what a server prints whose handler of Echo
// panics.
func panicking(handle func(echoServer)) func(*testing.T) string {
	return crashing(func(t *testing.T) {
		client := pitfalltest.Dial(t, &service.Server{OnEcho: func(stream echoServer) error {
			handle(stream)
			return nil
		}})
		stream, err := client.Echo(context.Background())
		require.NoError(t, err)
		_ = stream.Send(&pitfallsv1.Number{Value: 7})
		_, _ = stream.Recv()
	})
}

// forever calls f in n goroutines.
func forever(n int, f func()) {
	for range n {
		go func() {
			for {
				f()
			}
		}()
	}
}
